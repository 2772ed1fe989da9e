package revision

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mlmax/mlmax/pipeline"
	"github.com/mlmax/mlmax/pipeline/code"
)

// blob is a file of the module at a commit; nil if there is none.
func (r *Repository) blob(ctx context.Context, commit, name string) ([]byte, error) {
	out, err := r.git(ctx, nil, "cat-file", "blob", commit+":./"+name)
	if refused(err) {
		// Missing, or not to be had: listing it tells one from the other.
		if listed, again := r.git(ctx, nil, "ls-tree", "-z", commit, "--", name); again == nil && len(listed) == 0 {
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s at %s: %w", name, short(commit), err)
	}
	if out == nil {
		out = []byte{}
	}
	return out, nil
}

// A source is where the code of a step lies, and the parameter that its digest fills.
type source struct{ codeName, dir string }

// sources are those of a pipeline, from the Go file that was generated for it: where a
// step's code lay then may be elsewhere than today. A file that does not tell is taken for
// today's.
func sources(file []byte, d *pipeline.Definition) []source {
	var all []source
	if parsed, err := parser.ParseFile(token.NewFileSet(), "generated.go", file, parser.SkipObjectResolution); err == nil && len(file) > 0 {
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok {
				f := fields(lit)
				if f["CodeName"] != "" && f["CodeDir"] != "" && f["Pin"] == "" {
					all = append(all, source{f["CodeName"], f["CodeDir"]})
				}
			}
			return true
		})
	}
	if len(all) > 0 {
		return all
	}
	for _, j := range d.Jobs {
		if j.Pin == "" {
			all = append(all, source{j.CodeName, j.CodeDir})
		}
	}
	return all
}

// fields are the texts of a keyed literal.
func fields(lit *ast.CompositeLit) map[string]string {
	found := map[string]string{}
	for _, e := range lit.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if !isName || !isText || value.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(value.Value); err == nil {
			found[key.Name] = text
		}
	}
	return found
}

// digest is that of a code folder at a commit, by the rules of the tree's; empty if there
// is no such folder. Content is taken as git has it: no filter and no end of line of a
// checkout is applied, since that would run what the repository's configuration names.
func (r *Repository) digest(ctx context.Context, commit, dir string) (string, error) {
	listed, err := r.git(ctx, nil, "ls-tree", "-r", "-z", commit, "--", dir+"/")
	if err != nil {
		return "", err
	}
	var files []code.File
	var ids []string
	for _, line := range strings.Split(string(listed), "\x00") {
		about, name, ok := strings.Cut(line, "\t")
		words := strings.Fields(about)
		inside, below := strings.CutPrefix(name, path.Clean(dir)+"/")
		if !ok || !below || len(words) != 3 || ignored(inside) {
			continue
		}
		switch words[0] {
		case "100644", "100664", "100755":
		case "120000":
			return "", &code.NotRegularError{Path: inside, Mode: fs.ModeSymlink}
		default:
			return "", &code.NotRegularError{Path: inside, Mode: fs.ModeIrregular}
		}
		files = append(files, code.File{Path: inside, Executable: words[0] == "100755"})
		ids = append(ids, words[2])
	}
	if len(files) == 0 {
		return "", nil
	}
	if err := r.hash(ctx, files, ids); err != nil {
		return "", err
	}
	slices.SortFunc(files, func(a, b code.File) int { return cmp.Compare(a.Path, b.Path) })
	return code.Sum(files), nil
}

// ignored says that a file, or a folder above it, is none of the code's.
func ignored(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), code.Ignored)
}

// hash fills in the digests of files from their blobs, which one git gives all.
func (r *Repository) hash(ctx context.Context, files []code.File, ids []string) error {
	out, err := r.git(ctx, strings.NewReader(strings.Join(ids, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return err
	}
	for i := range files {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		words := strings.Fields(string(head))
		if len(words) != 3 || words[0] != ids[i] || words[1] != "blob" {
			return fmt.Errorf("git has no content of %s: %s", files[i].Path, head)
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size < 0 || size >= len(rest) {
			return errors.New("git gave less than it announced")
		}
		sum := sha256.Sum256(rest[:size])
		files[i].Size, files[i].SHA256 = int64(size), hex.EncodeToString(sum[:])
		out = rest[size+1:]
	}
	return nil
}
