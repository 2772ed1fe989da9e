package report

import "time"

// The measures of a timeline, in pixels.
const (
	barLeft  = 200
	barWidth = 620
	barRow   = 26
)

// A timeline is when each step ran, to scale.
type timeline struct {
	Width, Height int
	Bars          []bar
	Ticks         []tick
}

type bar struct {
	Step
	Y, TextY, X, W int
	Text           string
}

type tick struct {
	X    int
	Text string
}

// lay draws the steps of a report to scale; nil if none began.
func lay(r *Report) *timeline {
	var begin, end time.Time
	for _, s := range r.Steps {
		if s.Started.IsZero() {
			continue
		}
		last := s.Started.Add(time.Duration(s.Seconds * float64(time.Second)))
		if begin.IsZero() || s.Started.Before(begin) {
			begin = s.Started
		}
		if last.After(end) {
			end = last
		}
	}
	if begin.IsZero() {
		return nil
	}
	if !r.Started.IsZero() && r.Started.Before(begin) {
		begin = r.Started
	}
	whole := max(end.Sub(begin).Seconds(), 0.001)
	t := &timeline{Width: barLeft + barWidth + 90}
	for _, s := range r.Steps {
		if s.Started.IsZero() {
			continue
		}
		y := len(t.Bars) * barRow
		t.Bars = append(t.Bars, bar{
			Step: s, Y: y + 5, TextY: y + 18,
			// A clock that was set back meanwhile may not take a bar out of the picture.
			X:    barLeft + min(max(int(s.Started.Sub(begin).Seconds()/whole*barWidth), 0), barWidth),
			W:    max(min(int(s.Seconds/whole*barWidth), barWidth), 2),
			Text: span(s.Seconds),
		})
	}
	for i := range 5 {
		t.Ticks = append(t.Ticks, tick{X: barLeft + i*barWidth/4, Text: span(whole * float64(i) / 4)})
	}
	t.Height = len(t.Bars)*barRow + 24
	return t
}
