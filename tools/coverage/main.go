// Command coverage prints from a coverage profile how much of each package the tests reach, and every block that none
// does.
package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: coverage PROFILE ROOT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// module is what the names of files in a profile start with.
const module = "migrate-to-flux-operator/"

func run(profile, root string, out io.Writer) error {
	files, err := cover.ParseProfiles(profile)
	if err != nil {
		return err
	}
	reached, all := map[string]int{}, map[string]int{}
	for _, file := range files {
		name := strings.TrimPrefix(file.FileName, module)
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		lines := bytes.Split(source, []byte("\n"))
		for _, block := range file.Blocks {
			all[path.Dir(name)] += block.NumStmt
			if block.Count > 0 {
				reached[path.Dir(name)] += block.NumStmt
				continue
			}
			fmt.Fprintf(out, "%s:%d: %s\n", name, block.StartLine, firstCode(lines, block.StartLine, block.EndLine))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(out, "%5.1f%% %s\n", 100*float64(reached[dir])/float64(max(all[dir], 1)), dir)
	}
	return nil
}

// firstCode is the line that starts a block, and the one after it, which says what is done in it.
func firstCode(lines [][]byte, start, end int) string {
	text := strings.TrimSpace(string(lines[start-1]))
	if start < end && start < len(lines) {
		text += " " + strings.TrimSpace(string(lines[start]))
	}
	return text
}
