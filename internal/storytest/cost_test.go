package storytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/pipeline/price"
)

// The jobs of the story on AWS: five runs of the training, one of which fails in its second
// step and does that again, and one that is stopped in its first; and one prediction.
const (
	onXlarge = 6 + 6 + 1 // Preprocess, Train and the prediction's Preprocess
	onLarge  = 4 + 1     // Evaluate and Predict
	// minutes is how long a job of the example may take, its start included. It is assumed, and
	// was not measured: on a laptop the longest takes two seconds.
	minutes = 5
)

// TestCostIsDocumented demands that the page about AWS says what the story costs there.
func TestCostIsDocumented(t *testing.T) {
	t.Parallel()
	sum := 0.0
	for _, jobs := range []price.Use{
		{Region: "eu-west-1", Instance: "ml.m5.xlarge", Count: onXlarge, VolumeGB: 30, Seconds: minutes * 60},
		{Region: "eu-west-1", Instance: "ml.m5.large", Count: onLarge, VolumeGB: 30, Seconds: minutes * 60},
	} {
		dollars, ok := price.Job(jobs)
		if !ok {
			t.Fatalf("no price for %+v", jobs)
		}
		sum += dollars
	}
	want := fmt.Sprintf("%d jobs of at most %d minutes, about $%.2f", onXlarge+onLarge, minutes, sum)
	var pages []string
	for _, pattern := range []string{"../../docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) {
			return
		}
	}
	t.Errorf("no page of docs says %q", want)
}
