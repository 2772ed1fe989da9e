package progress_test

import (
	"fmt"
	"time"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/progress"
)

func ExampleRender() {
	s := progress.Start(&pipeline.Definition{Name: "census-training", Jobs: []pipeline.Job{{Name: "Preprocess"}, {Name: "Train"}}})
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, e := range []pipeline.Event{
		{Kind: pipeline.RunStarted, Run: "3f2a", Time: noon},
		{Kind: pipeline.StepStarted, Step: "Preprocess", Time: noon},
		{Kind: pipeline.StepSucceeded, Step: "Preprocess", Seconds: 4.25, Time: noon.Add(4 * time.Second)},
		{Kind: pipeline.StepStarted, Step: "Train", Time: noon.Add(4 * time.Second)},
	} {
		s = progress.Reduce(s, e)
	}
	fmt.Print(progress.Render(s.At(noon.Add(6*time.Second)), 80, false))
	// Output:
	// census-training  run 3f2a  running  6.0s
	//   Preprocess  done       4.2s
	//   Train       running    2.0s
}
