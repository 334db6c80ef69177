package finding

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// remedy matches what tells a person to do something that can delete.
var remedy = regexp.MustCompile(`\b(remove|rename|set|restore|revert|suspend|delete|push|annotate|move|take (it|its entry)( out)?|resume|prune-|leave one|give (that|each)|correct|regenerate|undo|take (what|these|that|one))\b`)

// TestRemedies holds that docs/remedies.md has a row for every message that tells a person to do something, and no row
// without a message: a remedy that nobody has thought through could delete more than it says.
func TestRemedies(t *testing.T) {
	rows := remedyRows(t)
	used := map[string]bool{}
	for _, said := range remedies(t) {
		row := slices.IndexFunc(rows, func(row string) bool { return strings.Contains(said, row) })
		if row < 0 {
			t.Errorf("docs/remedies.md has no row for: %s", said)
			continue
		}
		for _, row := range rows {
			used[row] = used[row] || strings.Contains(said, row)
		}
	}
	for _, row := range rows {
		if !used[row] {
			t.Errorf("docs/remedies.md has a row for what no message says: %s", row)
		}
	}
}

// remedyRows are the first cells of the tables in docs/remedies.md, which are parts of messages.
func remedyRows(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "remedies.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, found[1])
	}
	return rows
}

// remedies are the texts of the product that tell a person to do something.
func remedies(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, said := range textsOf(parsed) {
			if strings.Count(said, " ") > 3 && remedy.MatchString(said) {
				all = append(all, said)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// textsOf are the texts of a file, each sum of texts as one.
func textsOf(file *ast.File) []string {
	var all []string
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BinaryExpr:
			if said := textOf(node); said != "" {
				all = append(all, said)
				return false
			}
		case *ast.CallExpr:
			if function, isSelected := node.Fun.(*ast.SelectorExpr); isSelected && function.Sel.Name == "Run" {
				all = append(all, commandOf(node.Args))
			}
		case *ast.BasicLit:
			all = append(all, textOf(node))
		}
		return true
	})
	return all
}

// commandOf is a command of these words.
func commandOf(words []ast.Expr) string {
	var said []string
	for _, word := range words {
		said = append(said, cmp.Or(textOf(word), "%s"))
	}
	return strings.Join(said, " ")
}

// textOf is a text, or a sum in which anything but texts is left out.
func textOf(node ast.Expr) string {
	switch node := node.(type) {
	case *ast.BasicLit:
		if said, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
			return said
		}
	case *ast.BinaryExpr:
		if node.Op == token.ADD {
			return textOf(node.X) + textOf(node.Y)
		}
	}
	return ""
}
