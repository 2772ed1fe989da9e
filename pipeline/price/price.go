// Package price knows what SageMaker jobs cost: a table of on-demand prices with the
// date it is of. In goes what a job uses, out come dollars, or that no price is known:
// nothing is guessed. The package asks nobody; the table grows old, and says how old it is.
package price

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

//go:embed prices.json
var embedded []byte

// A table is prices.json.
type table struct {
	// Date is when the prices were known to hold, Source whose they are.
	Date     string            `json:"date"`
	Source   string            `json:"source"`
	Currency string            `json:"currency"`
	Regions  map[string]region `json:"regions"`
}

// A region is what things cost in one Region.
type region struct {
	// VolumeGBMonth is a GB of a job's volume for a month. Training's is the dearer, and
	// stands for all kinds of jobs.
	VolumeGBMonth float64 `json:"volumeGBMonth"`
	// Hour is an hour of an instance by its type, the same for processing and training.
	Hour map[string]float64 `json:"hour"`
}

var prices = sync.OnceValue(func() *table {
	t := &table{}
	if err := json.Unmarshal(embedded, t); err != nil {
		panic(fmt.Sprintf("price: read the embedded table: %v", err))
	}
	return t
})

// Date is the day of the table, as 2006-01-02.
func Date() string { return prices().Date }

// Source is where the table's prices are from.
func Source() string { return prices().Source }

// A Use is what a job uses, or may use at most.
type Use struct {
	Region   string
	Instance string
	Count    int
	// VolumeGB is the volume of each instance, Seconds how long the job runs on all.
	VolumeGB int
	Seconds  int
}

// hoursAMonth is what AWS divides a month's price of storage by.
const hoursAMonth = 730

// Job is what a job costs in US dollars: instances and volumes for its time, at
// on-demand prices. False if the table has no price for the type in the Region. For what
// a job has cost, Seconds are the billable seconds that SageMaker describes it with.
func Job(u Use) (float64, bool) {
	r := prices().Regions[u.Region]
	hour, ok := r.Hour[u.Instance]
	if !ok {
		return 0, false
	}
	hours := float64(u.Seconds) / 3600 * float64(u.Count)
	return hours * (hour + float64(u.VolumeGB)*r.VolumeGBMonth/hoursAMonth), true
}

// Round is a sum in hundredths of a cent, up: so that equal sums print alike, and a
// ceiling stays one.
func Round(dollars float64) float64 {
	return math.Ceil(math.Round(dollars*1e8)/1e4) / 1e4
}
