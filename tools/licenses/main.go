// Command licenses lists what the modules in a CycloneDX SBOM are licensed under, and fails on a licence that is not
// allowed.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/CycloneDX/cyclonedx-go"
)

// allowed are the licences that an Apache-2.0 program may link: permissive ones. Flux Operator's, AGPL-3.0, is none of
// them.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// known are the licences of what no scanner can read, or reads wrongly: the standard library is not in the module
// cache, and the LICENSE of some modules of golang.org/x is that of all of Go, which the scanner takes for
// BSD-Source-Code.
var known = map[string]string{
	"std":               "BSD-3-Clause",
	"golang.org/x/net":  "BSD-3-Clause",
	"golang.org/x/sys":  "BSD-3-Clause",
	"golang.org/x/term": "BSD-3-Clause",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: licenses SBOM.json")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string, out io.Writer) error {
	sbom, err := os.Open(file)
	if err != nil {
		return err
	}
	defer sbom.Close()
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(sbom, cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if bom.Components == nil || len(*bom.Components) == 0 {
		return fmt.Errorf("%s: no modules in it", file)
	}
	return list(*bom.Components, out)
}

// list prints a line for each module.
func list(modules []cyclonedx.Component, out io.Writer) error {
	var refused []string
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, module := range modules {
		found := licensesOf(module)
		fmt.Fprintf(table, "%s\t%s\t%s\n", module.Name, module.Version, strings.Join(found, ", "))
		if len(found) == 0 || slices.ContainsFunc(found,
			func(id string) bool { return !slices.Contains(allowed, id) }) {
			refused = append(refused, module.Name)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(refused) > 0 {
		return fmt.Errorf("the licence is unknown or not one of %s: %s", strings.Join(allowed, ", "),
			strings.Join(refused, ", "))
	}
	return nil
}

// licensesOf are the SPDX names of what was found in a module, or is known of it.
func licensesOf(module cyclonedx.Component) []string {
	if id, ok := known[module.Name]; ok {
		return []string{id}
	}
	var found []string
	add := func(choices *cyclonedx.Licenses) {
		if choices == nil {
			return
		}
		for _, choice := range *choices {
			if choice.License != nil {
				found = append(found, choice.License.ID+choice.License.Name)
			} else {
				found = append(found, choice.Expression)
			}
		}
	}
	add(module.Licenses)
	if module.Evidence != nil {
		add(module.Evidence.Licenses)
	}
	return found
}
