package check_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlmax/mlmax/gen/diag"
)

// A contract is a step with its script, and the messages that are wanted.
type contract struct {
	name   string
	fields string // of the step, besides its kind
	train  bool   // a training step
	set    string // tag of the step's field
	script string
	files  map[string]string // beside the script
	want   []string          // "MLX048 in the message", in order
}

const argparse = "import argparse\nparser = argparse.ArgumentParser()\n"

var contracts = []contract{
	// What must be found.
	{name: "Unknown", fields: "A int `arg:\"--alpha\" default:\"1\"`",
		script: argparse + "parser.add_argument('--alhpa')\nparser.parse_args()\n",
		want:   []string{`MLX048 does not accept argument "--alpha"`}},
	{name: "NoArguments", fields: "A int `arg:\"--alpha\" default:\"1\"`",
		script: argparse + "parser.parse_args()\n",
		want:   []string{`MLX048 does not accept argument "--alpha"`}},
	{name: "Required", script: argparse + "parser.add_argument('-b', '--beta', required=True)\nparser.parse_args()\n",
		want: []string{`MLX049 requires "-b"`}},
	{name: "Positional", script: argparse + "parser.add_argument('beta')\nparser.parse_args()\n",
		want: []string{`MLX049 requires "beta"`}},
	{name: "InMain", fields: "A int `arg:\"--alpha\" default:\"1\"`",
		script: "from argparse import ArgumentParser as P\ndef main(argv=None):\n    p = P()\n    g = p.add_argument_group('g')\n" +
			"    g.add_argument('--alpha', type=int, default=2)\n    args = p.parse_args(argv)\n\nif __name__ == '__main__':\n    try:\n        main()\n    except KeyError:\n        raise SystemExit(1)\n",
		want: []string{`MLX050 default of "A" is 1 here, and 2 in the script`}},
	{name: "Helpers", fields: "A int `arg:\"--alpha\" default:\"1\"`",
		script: "import sys\nfrom common import build\nparser = build()\nargs = parser.parse_args(sys.argv[1:])\n",
		files: map[string]string{"common.py": "import argparse\nDEFAULT = 3\ndef more(p):\n    p.add_argument('--alpha', type=int, default=DEFAULT)\n" +
			"def build():\n    p = argparse.ArgumentParser(allow_abbrev=False)\n    more(p)\n    p.add_argument('--beta', required=True)\n    return p\n"},
		want: []string{`MLX049 requires "--beta"`, `MLX050 3 in the script`}},
	{name: "StoreTrue", fields: "A bool `arg:\"--alpha\" default:\"false\"`\nB bool `arg:\"--beta\" default:\"false\"`\nC float64 `arg:\"--gamma\" default:\"0.5\"`",
		script: argparse + "parser.add_argument('--alpha', action='store_true')\nparser.add_argument('--beta', type=bool)\nparser.add_argument('--gamma', type=int)\nparser.parse_args()\n",
		want:   []string{`MLX048 "--alpha" takes no value`, `MLX048 type=bool`, `MLX048 as an int`}},
	{name: "Choices", fields: "A string `arg:\"--alpha\" default:\"x\" enum:\"x,y\"`",
		script: argparse + "parser.add_argument('--alpha', choices=['x', 'z'])\nparser.parse_args()\n",
		want:   []string{`MLX048 does not accept "y"`}},
	{name: "Hyper", train: true, fields: "A int `hyper:\"a\" default:\"1\"`\nB int `hyper:\"be-ta\" default:\"1\"`",
		script: argparse + "parser.add_argument('-a')\nparser.add_argument('--be_ta')\nparser.parse_args()\n",
		want:   []string{`MLX048 does not accept argument "--be-ta"`}},
	{name: "Channels", train: true,
		script: "import os\nfrom pathlib import Path\ndef main():\n    a = os.environ['SM_CHANNEL_DATA']\n    b = os.environ['SM_CHANNEL_EXTRA']\n" +
			"    c = Path(os.environ.get('SM_CHANNEL_OTHER'))\n    d = Path('/opt/ml/input/data/data') / 'x.csv'\n    e = open('/opt/ml/input/data/more/x.csv')\nmain()\n",
		want: []string{`MLX051 reads channel "extra"`, `MLX051 reads channel "other"`, `MLX051 "/opt/ml/input/data/more/x.csv"`}},
	{name: "Paths", script: "import os\nRAW = '/opt/ml/processing/input/raw'\nrows = open(os.path.join(RAW, 'x'))\n" +
		"out = os.path.join('/opt/ml/processing', 'output', 'Wrong')\nopen(out, 'w')\nfine = open('/opt/ml/processing/input/Data/x')\n",
		want: []string{`MLX051 "/opt/ml/processing/input/raw"`, `MLX051 "/opt/ml/processing/output/Wrong"`}},
	{name: "PathDefault", fields: "A string `arg:\"--alpha\" default:\"x\"`",
		script: argparse + "parser.add_argument('--alpha', default='/opt/ml/processing/input/raw')\nparser.add_argument('--beta', default='/opt/ml/processing/input/raw')\nparser.parse_args()\n",
		want:   []string{`MLX050 "/opt/ml/processing/input/raw" in the script`, `MLX051 "/opt/ml/processing/input/raw"`}},
	{name: "Network", script: "import os\nfrom urllib import request\nfrom common import fetch\n", files: map[string]string{"common.py": "import boto3\ndef fetch():\n    pass\n"},
		want: []string{`MLX081 imports urllib.request, and its job has no network`}},
	{name: "NetworkBelow", script: "from common import fetch\n", files: map[string]string{"common.py": "import boto3.session\ndef fetch():\n    pass\n"},
		want: []string{`MLX081 imports boto3.session`}},
	{name: "NetworkMaybe", script: "import urllib.parse\nimport http\ntry:\n    import boto3\nexcept ImportError:\n    boto3 = None\ndef later():\n    import requests\n"},
	{name: "NetworkOwn", script: "import requests\nimport redis.data\n", files: map[string]string{"requests.py": "A = 1\n", "redis/__init__.py": "", "redis/data.py": "B = 2\n"}},
	{name: "NetworkTraining", train: true, script: "import boto3\n"},
	{name: "NaN", fields: "R mlmax.Output[Report]",
		script: "import json\nfrom pathlib import Path\ntext = json.dumps({'auc': score()}, indent=2)\nPath('r').write_text(text + '\\n')\n",
		want:   []string{`MLX052 report "R"`}},
	{name: "NaNByName", fields: "R mlmax.Output[Report] `arg:\"--r\"`",
		script: argparse + "import json, os\nparser.add_argument('--r')\nargs = parser.parse_args()\nwith open(os.path.join(args.r, 'report.json'), 'w') as f:\n    json.dump({'auc': score()}, f)\n",
		want:   []string{`MLX052 report "R"`}},
	{name: "Texts", fields: "A string `arg:\"--alpha\" default:\"many\"`\nB string `arg:\"--beta\" default:\"3\"`",
		script: argparse + "parser.add_argument('--alpha', type=int)\nparser.add_argument('--beta', type=int)\nparser.parse_args()\n",
		want:   []string{`MLX048 "--alpha" as a number, and "many" is none`}},
	{name: "Syntax", script: "def f(:\n    pass\n", want: []string{`MLX053 does not parse`}},
	{name: "SyntaxBeside", script: "import helper\n", files: map[string]string{"helper.py": "x = = 1\n", "unused.py": "y = = 1\n"}, want: []string{`MLX053 does not parse`}},

	// What must be left alone.
	{name: "NoParser", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: "import sys\nprint(sys.argv)\n"},
	{name: "Known", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "args, rest = parser.parse_known_args()\n"},
	{name: "Loop", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "for n in ['alpha']:\n    parser.add_argument('--' + n)\nparser.parse_args()\n"},
	{name: "Conditional", fields: "A int `arg:\"--alpha\" default:\"1\"`",
		script: argparse + "import os\nif os.name == 'nt':\n    parser.add_argument('--beta', required=True)\nparser.add_argument('--alpha', default=1)\nparser.parse_args()\n"},
	{name: "Subparsers", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "s = parser.add_subparsers()\ns.add_parser('x').add_argument('--y', required=True)\nparser.parse_args()\n"},
	{name: "Foreign", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "import toolkit\ntoolkit.add_arguments(parser)\nparser.parse_args()\n"},
	{name: "Subclass", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: "import argparse\nclass P(argparse.ArgumentParser):\n    pass\nP().parse_args()\n"},
	{name: "TwoParsers", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "other = argparse.ArgumentParser()\nother.add_argument('--x', required=True)\nparser.parse_args()\n"},
	{name: "Abbreviated", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "parser.add_argument('--alphabet', type=int, required=True)\nparser.parse_args()\n"},
	{name: "OwnArguments", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "import sys\nsys.argv.remove('--alpha')\nparser.parse_args()\n"},
	{name: "ImportedArguments", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "from sys import argv\nargv.remove('--alpha')\nparser.parse_args()\n"},
	{name: "Listed", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "parser.parse_args(['--x'])\n"},
	{name: "Exclusive", script: argparse + "g = parser.add_mutually_exclusive_group()\ng.add_argument('--x', required=True)\nparser.add_argument('y', nargs='*')\nparser.parse_args()\n"},
	{name: "NotCalled", script: argparse + "def helper(p):\n    p.add_argument('--x', required=True)\nparser.parse_args()\n"},
	{name: "Switch", fields: "A bool `arg:\"--alpha\" default:\"true\"`", script: argparse + "parser.add_argument('--alpha', type=lambda s: s == 'true', default=True)\nparser.parse_args()\n"},
	{name: "SameDefault", fields: "A float64 `arg:\"--alpha\" default:\"1\"`\nB bool `arg:\"--beta\" default:\"true\"`\nC string `arg:\"--gamma\" default:\"x\"`\nD int `arg:\"--delta\" default:\"3\"`",
		script: argparse + "parser.add_argument('--alpha', type=float, default=1.0)\nparser.add_argument('--beta', default='True')\nparser.add_argument('--gamma', default=None)\nparser.add_argument('--delta', type=int, default=compute())\nparser.parse_args()\n"},
	{name: "Defaults", fields: "A int `arg:\"--alpha\" default:\"1\"`", script: argparse + "parser.add_argument('--alpha', type=int, default=2)\nparser.set_defaults(alpha=1)\nparser.parse_args()\n"},
	{name: "Guarded", train: true, script: "import os\nif 'SM_CHANNEL_EXTRA' in os.environ:\n    x = os.environ['SM_CHANNEL_EXTRA']\ny = os.environ.get('SM_CHANNEL_MORE')\n" +
		"z = os.environ.get('SM_CHANNEL_Z', '/opt/ml/input/data/z')\ntry:\n    w = os.environ['SM_CHANNEL_W']\nexcept KeyError:\n    w = None\nos.environ['SM_CHANNEL_V'] = 'v'\nv = os.environ['SM_CHANNEL_V']\n"},
	{name: "Probed", script: "import os\nEXTRA = '/opt/ml/processing/input/extra'\nif os.path.exists(EXTRA):\n    open(EXTRA)\nroot = '/opt/ml/processing/input'\nopen(root + '/' + name())\n" +
		"def unused():\n    open('/opt/ml/processing/input/raw')\nopen(f'/opt/ml/processing/input/{name()}')\n'''/opt/ml/processing/input/doc'''\nprint('/opt/ml/processing/input/x')\ncode = '/opt/ml/processing/input/code/x.json'\nopen(code)\n" +
		"def default(p='/opt/ml/processing/input/y'):\n    open(p)\ndefault()\n"},
	{name: "Strict", fields: "R mlmax.Output[Report]", script: "import json\nprint(json.dumps({'x': y()}))\nwith open('r') as f:\n    json.dump({'auc': 1}, f, allow_nan=False)\n"},
	{name: "Finite", fields: "R mlmax.Output[Report]", script: "import json, math\nif math.isnan(x()):\n    raise SystemExit(1)\nwith open('r') as f:\n    json.dump({'auc': x()}, f)\n"},
	{name: "Whole", fields: "R mlmax.Output[Report]", script: "import json\nwith open('r') as f:\n    json.dump({'auc': int(x()), 'name': 'a'}, f)\n"},
	{name: "Printed", fields: "R mlmax.Output[Report]", script: "import json, sys\njson.dump({'auc': x()}, sys.stdout)\nprint(json.dumps({'auc': x()}))\n"},
	{name: "OtherFiles", fields: "R mlmax.Output[Report] `arg:\"--r\"`",
		script: argparse + "import json, pathlib\nparser.add_argument('--r')\nargs = parser.parse_args()\nout = pathlib.Path('/tmp')\nwith open(out / 'params.json', 'w') as f:\n    json.dump(vars(args), f)\n" +
			"(out / 'meta.json').write_text(json.dumps({'x': score()}))\njson.dump({'columns': ['a', 'b'], 'n': {'rows': len(out)}}, open(args.r, 'w'))\n"},
	{name: "Imported", train: true, script: "import os\nif __name__ == '__main__':\n    pass\nelse:\n    x = os.environ['SM_CHANNEL_EXTRA']\nif __name__ != '__main__':\n    y = os.environ['SM_CHANNEL_EXTRA']\n"},
	{name: "Shape", script: "x = 1\n", fields: "A int `env:\"ALPHA\" default:\"1\"`"},
	{name: "Latin", script: "# caf\xe9\nx = = 1\n"},
	{name: "Mark", script: "\ufeffx = 1\n"},
	{name: "Modes", fields: "Mode string `arg:\"--mode\" enum:\"a,b\"`\nA int `arg:\"--alpha\" default:\"1\" only:\"Mode=a\"`", set: "Mode=a",
		script: argparse + "parser.add_argument('--mode', choices=['a'])\nparser.add_argument('--alpha', required=True)\nparser.parse_args()\n"},
	{name: "OtherMode", fields: "Mode string `arg:\"--mode\" enum:\"a,b\"`\nA int `arg:\"--alpha\" default:\"1\" only:\"Mode=a\"`", set: "Mode=b",
		script: argparse + "parser.add_argument('--mode')\nparser.add_argument('--alpha', required=True)\nparser.parse_args()\n",
		want:   []string{`MLX049 requires "--alpha", and step "OtherMode" does not pass it as pipeline "Fit" uses it`}},
}

// TestContracts puts all contracts into one package, whose scripts are read in
// one go.
func TestContracts(t *testing.T) {
	t.Parallel()
	files := map[string]string{"go.mod": diag.Explanation{}.Files()["go.mod"]}
	var spec, fields strings.Builder
	starts := []int{}
	spec.WriteString("package spec\n\nimport \"github.com/mlmax/mlmax\"\n\ntype Data struct{ mlmax.File }\n\ntype Classifier struct{}\n\n" +
		"type Report struct {\n\tmlmax.File `name:\"report.json\"`\n\n\tAUC float64 `json:\"auc\"`\n}\n\n")
	for _, c := range contracts {
		folder := "steps/" + strings.ToLower(c.name) + "/"
		kind, port := "Processing", "Data mlmax.Input[Data]"
		if c.train {
			kind, port = "Training", "Data mlmax.Channel[Data]\nModel mlmax.Model[Classifier]"
		}
		starts = append(starts, strings.Count(spec.String(), "\n")+1)
		fmt.Fprintf(&spec, "type %s struct {\nmlmax.%s `image:\"sklearn:1.4-2\" script:\"%sx.py\" instance:\"ml.m5.large\"`\n%s\n%s\n}\n\n", c.name, kind, folder, c.fields, port)
		fmt.Fprintf(&fields, "%s %s", c.name, c.name)
		if c.set != "" {
			fmt.Fprintf(&fields, " `set:%q`", c.set)
		}
		fields.WriteString("\n")
		files[folder+"x.py"] = c.script
		for name, content := range c.files {
			files[folder+name] = content
		}
	}
	fmt.Fprintf(&spec, "type Fit struct {\nmlmax.Pipeline `name:\"fit\"`\nData mlmax.Source[Data] `default:\"x\"`\n%s}\n", fields.String())
	files["spec.go"] = spec.String()

	dir, found := findings(t, map[string]map[string]string{"contracts": files})
	got := make([][]diag.Diagnostic, len(contracts))
	for _, d := range found["contracts"] {
		if d.Code == diag.UnusedOutput || d.Code == diag.UnusedMode {
			continue
		}
		i, exact := slices.BinarySearch(starts, d.Pos.Line)
		if !exact {
			i--
		}
		if rel, err := filepath.Rel(filepath.Join(dir, "contracts", "steps"), d.Pos.Filename); err == nil && filepath.IsLocal(rel) {
			folder, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
			i = slices.IndexFunc(contracts, func(c contract) bool { return strings.ToLower(c.name) == folder })
		}
		got[i] = append(got[i], d)
	}
	for i, c := range contracts {
		list := diag.List(got[i])
		slices.SortStableFunc(list, func(x, y diag.Diagnostic) int { return strings.Compare(string(x.Code), string(y.Code)) })
		ok := len(list) == len(c.want)
		for j := range min(len(list), len(c.want)) {
			code, words, _ := strings.Cut(c.want[j], " ")
			ok = ok && string(list[j].Code) == code && strings.Contains(list[j].Message, words) && (code == "MLX053" || len(list[j].Related) > 0)
		}
		if !ok {
			t.Errorf("%s: want %q, got:\n%s", c.name, c.want, text(t, dir, list))
		}
	}
}
