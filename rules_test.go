package skylite_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/skylite-go/skylite"

// source is one Go file of the module.
type source struct {
	path string // from the root, with slashes
	pkg  string // the folder, "." for the root
	test bool
	file *ast.File
}

// sources parses every Go file of the module, nested modules left out.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		pkg := "."
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			pkg = path[:i]
		}
		all = append(all, source{path: path, pkg: pkg, test: strings.HasSuffix(path, "_test.go"), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			documented[s.pkg] = documented[s.pkg] || s.file.Doc.Text() != ""
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || strings.Contains(s.pkg, "internal") || strings.HasPrefix(s.pkg, "cmd/") {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment", s.path, name)
			}
		}
	}
}

func undocumented(decl ast.Decl) (names []string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && decl.Doc == nil && exportedReceiver(decl) {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil && decl.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil && decl.Doc == nil {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
	}
	return names
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	recv := f.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	name, ok := recv.(*ast.Ident)
	return ok && name.IsExported()
}

func TestLibrariesDoNotPrint(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.pkg, "cmd/") || strings.HasPrefix(s.pkg, "examples/") {
			continue
		}
		if s.pkg == "internal/killtest" {
			continue // it is a process's main in tests
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch name := pkg.Name + "." + sel.Sel.Name; {
			case strings.HasPrefix(name, "fmt.Print"), strings.HasPrefix(name, "log."),
				name == "os.Stdout", name == "os.Stderr", name == "os.Exit", name == "slog.Default":
				t.Errorf("%s uses %s", s.path, name)
			}
			return true
		})
	}
}

// TestImportsPointOneWay holds the arrows of the house: cmd → server → places → nouns →
// internal.
func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	places := []string{"d1/rest", "d1/embedded", "d1/bridge", "d1/binding", "kv/rest", "kv/binding", "kv/ond1"}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			own, isOwn := strings.CutPrefix(path, module+"/")
			if strings.HasPrefix(path, "github.com/ncruces/") && s.pkg != "d1/embedded" {
				t.Errorf("%s imports %s; only d1/embedded knows the engine", s.path, path)
			}
			if !isOwn {
				continue
			}
			switch {
			case (s.pkg == "d1" || s.pkg == "kv" || s.pkg == "memory") && !strings.HasPrefix(own, "internal/"):
				t.Errorf("%s imports %s; a noun imports nothing but internal packages", s.path, own)
			case strings.HasPrefix(own, "cmd/") && !strings.HasPrefix(s.pkg, "cmd/"):
				t.Errorf("%s imports %s", s.path, own)
			case own == "server" && !strings.HasPrefix(s.pkg, "cmd/") && !strings.HasPrefix(s.pkg, "server"):
				t.Errorf("%s imports the server", s.path)
			case slices.Contains(places, own) && slices.Contains(append(places, "d1/d1sql", "kv/kvtest", "cloudflare"), s.pkg):
				t.Errorf("%s imports the place %s", s.path, own)
			case slices.Contains([]string{"d1/migrate", "d1/dialect", "memory/ond1", "memory/onkv", "memory/memorytest"}, s.pkg) && slices.Contains(places, own):
				t.Errorf("%s imports the place %s; it works on all of them", s.path, own)
			case s.pkg == "cloudflare" && !strings.HasPrefix(own, "internal/"):
				t.Errorf("%s imports %s", s.path, own)
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		data, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "\n"); n > 600 {
			t.Errorf("%s has %d lines; at 600 a file is two concepts", s.path, n)
		}
	}
}

// TestWasmBuilds compiles what must run inside a Worker.
func TestWasmBuilds(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "build", "./d1", "./d1/d1sql", "./d1/rest", "./cloudflare", "./internal/sqltext", "./internal/sqlschema",
		"./d1/binding", "./d1/bridge", "./d1/d1http", "./d1/migrate", "./d1/dialect", "./worker",
		"./kv", "./kv/ond1", "./kv/rest", "./kv/binding", "./kv/kvtest",
		"./memory", "./memory/ond1", "./memory/onkv", "./memory/onkv/onrest", "./memory/memorytest")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPlacesPayForThemselves checks that a program which opens only Cloudflare's D1 or KV
// links no SQLite engine.
func TestPlacesPayForThemselves(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "./d1/d1sql", "./d1/rest", "./d1/migrate", "./d1/bridge", "./d1/binding",
		"./kv/ond1", "./kv/rest", "./kv/binding", "./memory/ond1", "./memory/onkv", "./worker").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if strings.HasPrefix(dep, "github.com/ncruces/") || dep == module+"/d1/embedded" {
			t.Errorf("the driver or a remote place depends on %s", dep)
		}
	}
}
