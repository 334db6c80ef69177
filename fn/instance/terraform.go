package instance

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// terraformBlock matches the start of a block of Terraform that can install a chart. Blocks are formatted: the brace
// that closes one stands in the first column.
var terraformBlock = regexp.MustCompile(`(?m)^(?:resource\s+"helm_release"|module)\s+"[^"]*"(?:\s*)\{(?s:.*?)^\}`)

// terraformChart matches, in such a block, the chart of Flux Operator, or the module of its authors that installs it.
// Source: Flux Operator documentation, installation with Terraform.
var terraformChart = regexp.MustCompile(`(?m)^\s*(?:chart|source)\s*=\s*"(?:[^"]*/)?(?:` + operatorName + `|` +
	operatorName + `-bootstrap/kubernetes)"`)

// refuseTerraform refuses to add a second Flux Operator where Terraform installs one, unless the config says who does:
// which cluster a Terraform file is for, no file shows.
func (p *Plan) refuseTerraform(set *object.Set, findings *finding.List) {
	if p.Config.Operator.Install != "" || set.Files == nil {
		return
	}
	type key struct{}
	if at := object.Once(set, key{}, terraformOperator); at != "" {
		findings.Add(finding.Finding{Severity: finding.Error, Code: finding.TerraformInstallsOperator,
			File: at, Message: fmt.Sprintf(
				"Terraform installs Flux Operator here, and a second one would fight it: set the config field "+
					"operator.install to external, and operator.version to the version that runs; where that is another "+
					"cluster's, set operator.install to %s", config.HelmRelease)})
	}
}

// terraformOperator is the file and line of the first block of Terraform that installs Flux Operator, empty where none
// does.
func terraformOperator(set *object.Set) string {
	for _, file := range set.Files(".") {
		if path.Ext(file) != ".tf" {
			continue
		}
		content, _ := set.Read(file)
		if line := operatorInTerraform(content); line > 0 {
			return fmt.Sprintf("%s:%d", file, line)
		}
	}
	return ""
}

// operatorInTerraform is the line of the block that installs Flux Operator, 0 where none does.
func operatorInTerraform(content []byte) int {
	if !strings.Contains(string(content), operatorName) {
		return 0
	}
	for _, at := range terraformBlock.FindAllIndex(content, -1) {
		if terraformChart.Match(content[at[0]:at[1]]) {
			return 1 + bytes.Count(content[:at[0]], []byte("\n"))
		}
	}
	return 0
}
