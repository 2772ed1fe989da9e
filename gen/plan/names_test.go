package plan

import "testing"

func TestKebab(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"MinROCAUC": "min-rocauc", "SplitRatio": "split-ratio", "HTTPServer": "http-server", "A": "a",
		"ROCAUC": "rocauc", "Layer2Size": "layer2-size", "Max_Depth": "max-depth", "L2": "l2", "XGBModel": "xgb-model",
	} {
		if got := kebab(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestLogical(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"Train", "Machine", "Schedule", "A_B", "AB", "Übung", "bung"} {
		id := logical(name)
		if other, taken := seen[id]; taken {
			t.Errorf("%s and %s are both %s", name, other, id)
		}
		seen[id] = name
		for _, r := range id {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
				t.Errorf("%s has id %s", name, id)
			}
		}
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	few := []string{"p-a-", "p-b-"}
	if got := together(few); len(got) != 2 {
		t.Errorf("few names become %q", got)
	}
	var many []string
	for i := range maxNamed + 1 {
		many = append(many, "p-s"+string(rune('a'+i))+"-")
	}
	if got := together(many); len(got) != 1 || got[0] != "p-s" {
		t.Errorf("many names become %q", got)
	}
}
