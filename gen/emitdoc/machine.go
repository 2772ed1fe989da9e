package emitdoc

import (
	"strings"

	"github.com/mlmax/mlmax/pipeline/asl"
)

// machine lists the states, for those who read the state machine or its history.
func (d *page) machine(m *asl.Machine) {
	if m == nil {
		return
	}
	d.printf("## State machine\n\nIn [%[1]s/%[1]s.asl.json](%[1]s/%[1]s.asl.json), in the order in which they run:\n\n", d.Dir)
	var rows [][]string
	for _, s := range m.States {
		what := s.Comment
		if s.Resource != "" {
			what = strings.TrimSpace(code(s.Resource) + " " + cell(what))
		} else {
			what = cell(what)
		}
		rows = append(rows, []string{code(s.Name), s.Type, what})
	}
	d.table([]string{"State", "Type", "What it does"}, rows)
}
