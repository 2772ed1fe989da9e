package cloud

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A deployerStatement is one of docs/deployer-policy.json.
type deployerStatement struct {
	Sid, Effect      string
	Action, Resource any
}

// texts are a text or a list of texts.
func texts(v any) []string {
	if text, ok := v.(string); ok {
		return []string{text}
	}
	var all []string
	for _, one := range v.([]any) {
		all = append(all, one.(string))
	}
	return all
}

// deployerPolicy is what a person who deploys may do, by the documents.
func deployerPolicy(t *testing.T) []deployerStatement {
	t.Helper()
	text, err := os.ReadFile("../../docs/deployer-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	// LIMITS: a managed policy has at most 6,144 characters, white space aside. The names
	// that are filled in are longer than the words for them.
	if n := compact.Len(); n > 5_900 {
		t.Errorf("the policy has %d characters, and IAM takes 6,144", n)
	}
	var policy struct{ Statement []deployerStatement }
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	return policy.Statement
}

// sageMaker is what operations of SageMaker are called.
var sageMaker = regexp.MustCompile(`^"(Create|Describe|List|Update|Delete|Stop)[A-Z][A-Za-z]+"$`)

// called are the permissions of all operations that the packages below a folder call: those
// whose input they make, and those of SageMaker, which go by name.
func called(t *testing.T, folder string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	services := map[string]string{"s3": "S3", "sfn": "SFN", "cloudformation": "CloudFormation", "cloudwatchlogs": "CloudWatch Logs"}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		asks := bytes.Contains(text, []byte(".SageMaker(ctx"))
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				of, ok := n.Type.(*ast.SelectorExpr)
				if !ok {
					break
				}
				operation, isInput := strings.CutSuffix(of.Sel.Name, "Input")
				if pkg, ok := of.X.(*ast.Ident); ok && isInput && services[pkg.Name] != "" {
					all[action(services[pkg.Name], operation)] = true
				}
			case *ast.BasicLit:
				if asks && sageMaker.MatchString(n.Value) {
					all[action("SageMaker", strings.Trim(n.Value, `"`))] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDeployerPolicy holds the documented policy to what is called: all of it, and, where
// all packages are there, nothing else. What the stack needs on the person's behalf is apart.
func TestDeployerPolicy(t *testing.T) {
	t.Parallel()
	calls := called(t, ".")
	if len(calls) < 20 {
		t.Fatalf("only %d operations were found", len(calls))
	}
	allowed := map[string]string{}
	for _, s := range deployerPolicy(t) {
		if strings.HasPrefix(s.Sid, "Stack") || s.Sid == "UseKey" {
			continue
		}
		for _, a := range texts(s.Action) {
			if strings.Contains(a, "*") {
				t.Errorf("%s allows %s", s.Sid, a)
			}
			if allowed[a] != "" {
				t.Errorf("%s is allowed by %s and %s", a, allowed[a], s.Sid)
			}
			allowed[a] = s.Sid
		}
	}
	for _, a := range slices.Sorted(maps.Keys(calls)) {
		if allowed[a] == "" {
			t.Errorf("%s is called, and docs/deployer-policy.json does not allow it", a)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(allowed)) {
		if !calls[a] {
			t.Errorf("%s allows %s, which nothing calls", allowed[a], a)
		}
	}
}

// TestDeployerPolicyCoversTemplates has an own statement of the policy for every type of
// resource that the example's templates make.
func TestDeployerPolicyCoversTemplates(t *testing.T) {
	t.Parallel()
	services := map[string]bool{}
	for _, s := range deployerPolicy(t) {
		if strings.HasPrefix(s.Sid, "Stack") {
			for _, a := range texts(s.Action) {
				service, _, _ := strings.Cut(a, ":")
				services[service] = true
			}
			for _, r := range texts(s.Resource) {
				if !strings.Contains(r, "ENV-*") {
					t.Errorf("%s reaches %s, beyond the environment", s.Sid, r)
				}
			}
		}
	}
	prefix := map[string]string{"StepFunctions": "states"}
	found, err := filepath.Glob("../../generated/*/*/template.json")
	if err != nil || len(found) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct{ Type string }
		}
		if err := json.Unmarshal(text, &template); err != nil {
			t.Fatal(err)
		}
		for id, r := range template.Resources {
			service := strings.Split(r.Type, "::")[1]
			if prefix[service] != "" {
				service = prefix[service]
			}
			if !services[strings.ToLower(service)] {
				t.Errorf("%s: nothing allows making %s, a %s", name, id, r.Type)
			}
		}
	}
}

// TestDeployerPolicyIsFilledIn runs the command by which the documents put a person's names
// into the policy: no word in capitals is left, and IAM takes what comes of it.
func TestDeployerPolicyIsFilledIn(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sed"); err != nil {
		t.Skip("no sed here")
	}
	var command string
	for _, pattern := range []string{"../../docs/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			if found := regexp.MustCompile(`(?m)^sed '([^']*)' docs/deployer-policy\.json`).FindSubmatch(text); found != nil {
				command = string(found[1])
			}
		}
	}
	if command == "" {
		t.Fatal("no page says how the policy is filled in")
	}
	text, err := exec.Command("sed", command, "../../docs/deployer-policy.json").Output()
	if err != nil {
		t.Fatal(err)
	}
	if left := regexp.MustCompile(`"[^"]*\b(BUCKET|PREFIX|REGION|ACCOUNT|ENV|KEY)\b[^"]*"`).Find(text); left != nil {
		t.Errorf("%s is left as it was", left)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil || compact.Len() > 6_144 {
		t.Errorf("the policy has %d characters, and IAM takes 6,144 (%v)", compact.Len(), err)
	}
}
