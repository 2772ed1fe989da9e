package local

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// metricDefinition is a metric that is read from a training job's log (API
// MetricDefinition).
type metricDefinition struct{ Name, Regex string }

// metrics finds metrics in a job's log: a nil one finds none.
type metrics struct {
	definitions []metricDefinition
	patterns    []*regexp.Regexp
	values      []float64
	seen        []bool
}

// newMetrics compiles the patterns.
func newMetrics(definitions []metricDefinition) (*metrics, error) {
	if len(definitions) == 0 {
		return nil, nil
	}
	m := &metrics{definitions: definitions, values: make([]float64, len(definitions)), seen: make([]bool, len(definitions))}
	for _, d := range definitions {
		re, err := regexp.Compile(d.Regex)
		if err != nil {
			return nil, fmt.Errorf("the regular expression of metric %q: %w", d.Name, err)
		}
		m.patterns = append(m.patterns, re)
	}
	return m, nil
}

// line looks at one line of the log. The first group of a match is the value.
func (m *metrics) line(text string) {
	for i, re := range m.patterns {
		match := re.FindStringSubmatch(text)
		if len(match) < 2 {
			continue
		}
		if v, err := strconv.ParseFloat(match[1], 64); err == nil {
			m.values[i], m.seen[i] = v, true
		}
	}
}

// final is the Describe call's FinalMetricDataList: the last value of each, with
// the 32 bits that the API's type has.
func (m *metrics) final(now time.Time) []map[string]any {
	if m == nil {
		return nil
	}
	var list []map[string]any
	for i, d := range m.definitions {
		if m.seen[i] {
			list = append(list, map[string]any{"MetricName": d.Name, "Value": float64(float32(m.values[i])), "Timestamp": millis(now)})
		}
	}
	return list
}
