// Package structs reads the tables that a package's structs describe, from its source.
package structs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1/dialect"
)

// Tables returns the tables of the structs in a folder's Go files, tests left out, in the
// order of their names. A struct is a table if a field of it has a ddl tag, and no other
// struct embeds it or it has a ddl tag on a blank field. See [dialect.TableOf].
func Tables(dir string) ([]dialect.Table, error) {
	p := &pkg{types: map[string]declared{}, embedded: map[string]bool{}}
	if err := p.parse(dir); err != nil {
		return nil, err
	}
	var names []string
	for name := range p.types {
		names = append(names, name)
	}
	sort.Strings(names)
	var tables []dialect.Table
	for _, name := range names {
		d := p.types[name]
		s, ok := d.expr.(*ast.StructType)
		if !ok || !p.isTable(name, s) {
			continue
		}
		fields, err := p.fields(s, d.imports, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.set.Position(s.Pos()), name, err)
		}
		table, err := dialect.TableOfFields(name, fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.set.Position(s.Pos()), err)
		}
		tables = append(tables, table)
	}
	return tables, nil
}

type pkg struct {
	set      *token.FileSet
	types    map[string]declared
	embedded map[string]bool // structs that others embed
}

// declared is a type, and what the imports of its file are called there.
type declared struct {
	expr    ast.Expr
	imports map[string]string
}

func (p *pkg) parse(dir string) error {
	p.set = token.NewFileSet()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(p.set, filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p.add(file)
	}
	return nil
}

func (p *pkg) add(file *ast.File) {
	imports := make(map[string]string)
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = path
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			t, ok := spec.(*ast.TypeSpec)
			if !ok || t.TypeParams != nil {
				continue
			}
			p.types[t.Name.Name] = declared{t.Type, imports}
			if s, ok := t.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					if ident, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
						p.embedded[ident.Name] = true
					}
				}
			}
		}
	}
}

// isTable reports whether a struct is to be a table.
func (p *pkg) isTable(name string, s *ast.StructType) bool {
	tagged := false
	for _, f := range s.Fields.List {
		if tagOf(f).Get("ddl") == "" {
			continue
		}
		tagged = true
		if len(f.Names) == 1 && f.Names[0].Name == "_" {
			return true
		}
	}
	return tagged && !p.embedded[name]
}

func tagOf(f *ast.Field) reflect.StructTag {
	if f.Tag == nil {
		return ""
	}
	text, _ := strconv.Unquote(f.Tag.Value)
	return reflect.StructTag(text)
}

// maxDepth is more than anybody nests types; it ends those that embed themselves.
const maxDepth = 20

// fields lists a struct's fields, those of embedded structs among them.
func (p *pkg) fields(s *ast.StructType, imports map[string]string, depth int) ([]dialect.Field, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("its structs embed each other without end")
	}
	var fields []dialect.Field
	for _, f := range s.Fields.List {
		tag := tagOf(f)
		if len(f.Names) == 0 {
			inner, err := p.embeddedFields(f, tag, imports, depth)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
			continue
		}
		for _, name := range f.Names {
			if name.IsExported() || name.Name == "_" {
				fields = append(fields, dialect.Field{Name: name.Name, Type: p.typeName(f.Type, imports, 0), Tag: tag})
			}
		}
	}
	return fields, nil
}

func (p *pkg) embeddedFields(f *ast.Field, tag reflect.StructTag, imports map[string]string, depth int) ([]dialect.Field, error) {
	if tag.Get("d1") == "-" {
		return nil, nil
	}
	name := ""
	switch t := f.Type.(type) {
	case *ast.Ident:
		name = t.Name
		d := p.types[name]
		if s, ok := d.expr.(*ast.StructType); ok && tag.Get("d1") == "" {
			return p.fields(s, d.imports, depth+1)
		}
	case *ast.SelectorExpr:
		name = t.Sel.Name
		if p.typeName(t, imports, 0) == "struct" {
			return nil, fmt.Errorf("the embedded %s is declared in another package, which is not read; "+
				"write its fields out, or leave it out with `d1:\"-\"`", name)
		}
	case *ast.StarExpr:
		return nil, fmt.Errorf("an embedded pointer is no column; leave it out with `d1:\"-\"`")
	}
	if !ast.IsExported(name) {
		return nil, nil
	}
	return []dialect.Field{{Name: name, Type: p.typeName(f.Type, imports, 0), Tag: tag}}, nil
}

// typeName writes a type as [dialect.Field] wants it. Types of other packages, but for
// those that columns can have, count as structs.
func (p *pkg) typeName(expr ast.Expr, imports map[string]string, depth int) string {
	if depth > maxDepth {
		return "struct"
	}
	switch t := expr.(type) {
	case *ast.Ident:
		if d, ok := p.types[t.Name]; ok {
			return p.typeName(d.expr, d.imports, depth+1)
		}
		return t.Name
	case *ast.ParenExpr:
		return p.typeName(t.X, imports, depth+1)
	case *ast.StarExpr:
		return "*" + p.typeName(t.X, imports, depth+1)
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			switch name := imports[x.Name] + "." + t.Sel.Name; {
			case name == "time.Time":
				return name
			case strings.HasPrefix(name, "database/sql.Null"):
				return strings.TrimPrefix(name, "database/")
			}
		}
	case *ast.ArrayType:
		if elem := p.typeName(t.Elt, imports, depth+1); t.Len == nil && (elem == "byte" || elem == "uint8") {
			return "[]byte"
		}
		return "slice"
	case *ast.MapType:
		return "map"
	case *ast.ChanType:
		return "chan"
	case *ast.FuncType:
		return "func"
	case *ast.InterfaceType:
		return "interface"
	}
	return "struct"
}
