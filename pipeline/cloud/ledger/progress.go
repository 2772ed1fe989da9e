package ledger

import (
	"context"

	"github.com/mlmax/mlmax/pipeline/asl"
	"github.com/mlmax/mlmax/pipeline/cloud"
	"github.com/mlmax/mlmax/pipeline/cloud/history"
)

// Progress is what an execution's tries are, as it goes on.
type Progress struct {
	// Tries are those so far, in order, and Ended says that there will be no more.
	Tries []Try
	Ended bool

	reader *history.Reader
	events []asl.HistoryEvent
}

// NewProgress begins with an execution of which nothing is known.
func NewProgress(execution string) *Progress {
	return &Progress{reader: history.NewReader(execution)}
}

// Look reads what has happened since the last look. After an error, which is the SDK's own,
// the next look reads what this one did not.
func (g *Progress) Look(ctx context.Context, p *cloud.Place) error {
	more, err := g.reader.Next(ctx, cloud.GetExecutionHistory(cloud.StepFunctions(p).GetExecutionHistory))
	if err != nil || len(more) == 0 {
		return err
	}
	g.events = append(g.events, more...)
	g.Ended = ending(g.events[len(g.events)-1].Type) != ""
	g.Tries, err = Tries(g.events)
	return err
}
