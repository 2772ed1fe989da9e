package check_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
)

// labelParser is the beginning of the scripts below.
const labelParser = `import argparse, csv, os
from pathlib import Path
import pandas as pd
parser = argparse.ArgumentParser()
parser.add_argument("--mode", choices=["train", "infer"])
parser.add_argument("--data", required=True)
parser.add_argument("--fitted")
parser.add_argument("--labels")
args = parser.parse_args()
`

// labelScripts are scripts of a step that is used in mode infer, on data that has no column
// "income". Those of the first part need it; of the others that is not sure.
var labelScripts = map[string]string{
	"Plain":     labelParser + "table = pd.read_csv(args.data)\ny = table['income']\n",
	"Pop":       labelParser + "table = pd.read_csv(args.data)\ny = table.pop('income')\n",
	"Drop":      labelParser + "LABEL = 'income'\nx = pd.read_csv(args.data).drop(columns=[LABEL])\n",
	"DropAxis":  labelParser + "x = pd.read_csv(args.data).drop('income', axis=1)\n",
	"UseCols":   labelParser + "COLUMNS = ['age', 'income']\nx = pd.read_csv(args.data, usecols=COLUMNS)\n",
	"Several":   labelParser + "NUMBERS = ['age']\ntable = pd.read_csv(args.data)\nx = table[NUMBERS + ['income']]\n",
	"Loc":       labelParser + "table = pd.read_csv(args.data)\nx = table.loc[:, 'income']\n",
	"Subset":    labelParser + "table = pd.read_csv(args.data)\ntable = table.dropna(subset=['income'])\n",
	"Kept":      labelParser + "table = pd.read_csv(args.data)\ntable = table[table['age'] > 3].dropna()\ny = table['income']\n",
	"Folder":    labelParser + "path = Path(args.data) / 'x.csv'\nwith path.open() as f:\n    table = pd.read_csv(f)\n    y = table['income']\n",
	"Chunks":    labelParser + "for chunk in pd.read_csv(args.data, chunksize=9):\n    y = chunk['income']\n",
	"Rows":      labelParser + "with open(args.data) as f:\n    for row in csv.DictReader(f):\n        y = row['income']\n",
	"Listed":    labelParser + "with open(args.data) as f:\n    y = [row['income'] for row in csv.DictReader(f)]\n",
	"Branch":    labelParser + "table = pd.read_csv(args.data)\nif args.mode == 'infer':\n    y = table['income']\n",
	"NotTrain":  labelParser + "table = pd.read_csv(args.data)\nif args.mode != 'train':\n    y = table['income']\n",
	"Otherwise": labelParser + "table = pd.read_csv(args.data)\nif 'train' == args.mode:\n    pass\nelse:\n    y = table['income']\n",
	"Given":     labelParser + "table = pd.read_csv(args.data)\nif args.fitted is not None:\n    y = table['income']\n",
	"NotGiven":  labelParser + "table = pd.read_csv(args.data)\nif not args.labels:\n    y = table['income']\n",
	"Functions": "import argparse\nimport pandas as pd\nimport sys\n\ndef arguments(argv=None):\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--mode')\n    parser.add_argument('--data')\n" +
		"    parser.add_argument('--fitted')\n    return parser.parse_args(argv)\n\ndef read(path):\n    return pd.read_csv(path)\n\ndef train(args):\n    y = read(args.data).pop('income')\n\ndef infer(args):\n    table = read(args.data)\n" +
		"    x = table.drop(columns='income')\n\ndef main():\n    args = arguments()\n    if args.mode == 'train':\n        train(args)\n        return 0\n    infer(args)\n    return 0\n\nif __name__ == '__main__':\n    sys.exit(main())\n",
	"Caught":    labelParser + "try:\n    table = pd.read_csv(args.data)\n    y = table['income']\nexcept FileNotFoundError:\n    raise SystemExit(1)\n",
	"FixedPath": "import pandas as pd\ntable = pd.read_csv('/opt/ml/processing/input/Data/x.csv')\ny = table['income']\n",

	"OnlyTrain":    labelParser + "table = pd.read_csv(args.data)\nif args.mode == 'train':\n    y = table.pop('income')\n",
	"Early":        labelParser + "table = pd.read_csv(args.data)\nif args.mode == 'infer':\n    raise SystemExit(0)\ny = table['income']\n",
	"EarlyReturn":  labelParser + "def main():\n    table = pd.read_csv(args.data)\n    if args.mode == 'infer':\n        return\n    y = table['income']\nmain()\n",
	"Left":         labelParser + "import sys\ntable = pd.read_csv(args.data)\nif args.mode == 'infer':\n    sys.exit()\ny = table['income']\n",
	"Asked":        labelParser + "table = pd.read_csv(args.data)\nif 'income' in table.columns:\n    y = table['income']\n",
	"AskedBefore":  labelParser + "LABEL = 'income'\ntable = pd.read_csv(args.data)\nif LABEL not in table:\n    table = None\ny = table[LABEL]\n",
	"Tried":        labelParser + "table = pd.read_csv(args.data)\ntry:\n    y = table['income']\nexcept KeyError:\n    y = None\n",
	"TriedMore":    labelParser + "ERRORS = (KeyError, OSError)\ntable = pd.read_csv(args.data)\ntry:\n    y = table['income']\nexcept ERRORS:\n    y = None\n",
	"Forgiving":    labelParser + "table = pd.read_csv(args.data)\ntable = table.drop(columns=['income'], errors='ignore')\n",
	"Made":         labelParser + "table = pd.read_csv(args.data)\ntable['income'] = 0\ny = table['income']\n",
	"Named":        labelParser + "table = pd.read_csv(args.data, names=['age', 'income'])\ny = table['income']\n",
	"Merged":       labelParser + "table = pd.read_csv(args.data).merge(pd.read_csv(args.fitted), on='id')\ny = table['income']\n",
	"Changed":      labelParser + "def more(t):\n    t.columns = ['age', 'income']\n    return t\ntable = pd.read_csv(args.data)\ntable = other(table)\ny = table['income']\n",
	"OtherFile":    labelParser + "table = pd.read_csv(args.fitted)\ny = table['income']\n",
	"EitherFile":   labelParser + "def read(path):\n    return pd.read_csv(path)\na, b = read(args.data), read(args.fitted)\ntable = read(args.fitted)\ny = table['income']\n",
	"Dictionary":   labelParser + "settings = {'income': 1}\ny = settings['income']\n",
	"Default":      labelParser + "with open(args.data) as f:\n    for row in csv.DictReader(f):\n        y = row.get('income')\n",
	"PopDefault":   labelParser + "with open(args.data) as f:\n    for row in csv.DictReader(f):\n        y = row.pop('income', None)\n",
	"NotCalledYet": labelParser + "def train():\n    y = pd.read_csv(args.data)['income']\n",
	"OtherTest":    labelParser + "table = pd.read_csv(args.data)\nif os.environ.get('LABEL'):\n    y = table['income']\n",
	"Lazy":         labelParser + "table = pd.read_csv(args.data)\ny = args.mode == 'train' and table['income']\n",
	"Sometimes":    labelParser + "table = pd.read_csv(args.data)\nfor name in ['income']:\n    y = table[name]\n    z = table['income']\n",
	"Generator":    labelParser + "def rows():\n    yield pd.read_csv(args.data)['income']\nall = rows()\n",
	"OtherColumn":  labelParser + "table = pd.read_csv(args.data)\ny = table['age']\n",
	"Looping":      labelParser + "def a(t):\n    return b(t)\ndef b(t):\n    return a(t)\ny = a(pd.read_csv(args.data))['income']\n",
	"Reparsed":     labelParser + "args = other(args)\ny = pd.read_csv(args.data)['income']\n",
	"Present":      labelParser + "table = pd.read_csv(args.data)\nif args.fitted:\n    table = None\nelse:\n    y = table['income']\n",
}

// needing are those of labelScripts that need the column.
var needing = strings.Fields(`Plain Pop Drop DropAxis UseCols Several Loc Subset Kept Folder Chunks Rows Listed Branch NotTrain Otherwise
	Given NotGiven Functions Caught FixedPath`)

// TestLabels uses every script in a pipeline whose data lacks the label.
func TestLabels(t *testing.T) {
	t.Parallel()
	files := diag.Explanation{}.Files()
	var steps, uses strings.Builder
	for name, source := range labelScripts {
		script := "steps/" + strings.ToLower(name) + "/x.py"
		files[script] = source
		arg := "arg:\"--data\""
		if name == "FixedPath" {
			arg = ""
		}
		fmt.Fprintf(&steps, "type %s struct {\n\tmlmax.Processing `image:\"sklearn:1.4-2\" script:%q instance:\"ml.m5.large\"`\n\n\tMode string `arg:\"--mode\" enum:\"train,infer\"`\n\n"+
			"\tData mlmax.Input[Data] `%s`\n\tFitted mlmax.Input[Clean] `arg:\"--fitted\" only:\"Mode=infer\"`\n}\n\n", name, script, arg)
		fmt.Fprintf(&uses, "\t%s %s `set:\"Mode=infer\"`\n", name, name)
	}
	files["labels.go"] = "package spec\n\nimport \"github.com/mlmax/mlmax\"\n\n" + steps.String() +
		"type Score struct {\n\tmlmax.Pipeline `name:\"score\"`\n\n\tData mlmax.Source[Data] `default:\"new/in.csv\"`\n\tModel mlmax.ModelVersion[Classifier] `from:\"Fit.Register\"`\n" + uses.String() + "}\n"
	files["spec.go"] = strings.Replace(files["spec.go"], "local:\"in.csv\"", "local:\"in.csv\" label:\"income\"", 1)

	files["in.csv"] = "age,income\n1,2\n"

	labelled := maps.Clone(files)
	labelled["labels.go"] = strings.Replace(files["labels.go"], "default:\"new/in.csv\"", "default:\"new/in.csv\" label:\"income\"", 1)
	dir, found := findings(t, map[string]map[string]string{"without": files, "with": labelled})
	want := map[string]bool{}
	for _, name := range needing {
		want[strings.ToLower(name)] = true
	}
	for _, d := range found["without"] {
		if d.Code != diag.LabelAtInference {
			continue
		}
		_, rest, _ := strings.Cut(strings.ReplaceAll(d.Related[0].Pos.Filename, `\`, "/"), "/steps/")
		name, _, _ := strings.Cut(rest, "/")
		if !want[name] || len(d.Related) != 2 {
			t.Errorf("unexpected:\n%s", text(t, dir, diag.List{d}))
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s: the script needs the label, and that was not found", name)
	}
	for _, d := range found["with"] {
		if d.Code == diag.LabelAtInference {
			t.Errorf("data that has the label:\n%s", text(t, dir, diag.List{d}))
		}
	}
}
