package price

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTableIsDatedSortedAndPlausible(t *testing.T) {
	t.Parallel()
	day, err := time.Parse(time.DateOnly, Date())
	if err != nil || day.Year() < 2024 {
		t.Errorf("the table's date is %q (%v)", Date(), err)
	}
	if Source() == "" || prices().Currency != "USD" {
		t.Errorf("source %q, currency %q", Source(), prices().Currency)
	}
	kind := regexp.MustCompile(`^ml\.[a-z0-9]+\.([0-9]*x?large|medium)$`)
	for _, name := range slices.Sorted(maps.Keys(prices().Regions)) {
		r := prices().Regions[name]
		if r.VolumeGBMonth < 0.05 || r.VolumeGBMonth > 0.5 {
			t.Errorf("%s: a GB for a month at $%v", name, r.VolumeGBMonth)
		}
		for instance, hour := range r.Hour {
			if !kind.MatchString(instance) || hour < 0.03 || hour > 200 {
				t.Errorf("%s: %s at $%v an hour", name, instance, hour)
			}
			double, ok := r.Hour[strings.Replace(instance, ".xlarge", ".2xlarge", 1)]
			if ok && strings.Contains(instance, ".xlarge") && (double <= hour || double > 2.02*hour) {
				t.Errorf("%s: %s at $%v, and twice the size at $%v", name, instance, hour, double)
			}
		}
	}
}

// TestTableIsWrittenInOrder reads the file as a person does, who looks for a line.
func TestTableIsWrittenInOrder(t *testing.T) {
	t.Parallel()
	var again bytes.Buffer
	e := json.NewEncoder(&again)
	e.SetIndent("", "  ")
	if err := e.Encode(prices()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), embedded) {
		t.Error("prices.json is not in the order of Regions and types, indented by two blanks")
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		use  Use
		want float64
		ok   bool
	}{
		{"an hour", Use{Region: "us-east-1", Instance: "ml.m5.xlarge", Count: 1, Seconds: 3600}, 0.23, true},
		{"two for half an hour", Use{Region: "us-east-1", Instance: "ml.m5.xlarge", Count: 2, Seconds: 1800}, 0.23, true},
		{"with a volume", Use{Region: "eu-west-1", Instance: "ml.m5.xlarge", Count: 1, VolumeGB: 73, Seconds: 3600}, 0.257 + 0.0154, true},
		{"unknown type", Use{Region: "us-east-1", Instance: "ml.x9.huge", Count: 1, Seconds: 3600}, 0, false},
		{"unknown Region", Use{Region: "mars-1", Instance: "ml.m5.xlarge", Count: 1, Seconds: 3600}, 0, false},
	}
	for _, c := range cases {
		got, ok := Job(c.use)
		if ok != c.ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: $%v, %v; want $%v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestRoundGoesUp(t *testing.T) {
	t.Parallel()
	for dollars, want := range map[float64]float64{0: 0, 0.23: 0.23, 0.1 + 0.2: 0.3, 0.00001: 0.0001, 1.23451: 1.2346} {
		if got := Round(dollars); got != want {
			t.Errorf("Round(%v) = %v, want %v", dollars, got, want)
		}
	}
}
