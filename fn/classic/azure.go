package classic

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// azureFlux matches how Terraform, Bicep and ARM templates install Azure's extension that runs Flux, or say what it
// syncs.
// Source: Microsoft.KubernetesConfiguration extensions and fluxConfigurations, and the resources of azurerm 4 for both.
var azureFlux = regexp.MustCompile(`(?i)\bmicrosoft\.flux\b|` +
	`microsoft\.kubernetesconfiguration/fluxconfigurations|\bazurerm_(arc_)?kubernetes_flux_configuration\b`)

// azureFiles are the endings of the files that it is installed from.
var azureFiles = []string{".tf", ".bicep", ".bicepparam", ".json"}

// MayRunAzure reports whether a file is of a kind that the extension is installed from.
func MayRunAzure(file string) bool { return slices.Contains(azureFiles, path.Ext(file)) }

// AzureFlux is the line of a file by which Azure runs Flux, 0 where there is none. What is commented out counts for
// nothing.
func AzureFlux(file string, content []byte) int {
	if !MayRunAzure(file) || !azureFlux.Match(content) {
		return 0
	}
	number := 0
	for line := range bytes.Lines(content) {
		number++
		text := bytes.TrimSpace(line)
		if !bytes.HasPrefix(text, []byte("#")) && !bytes.HasPrefix(text, []byte("//")) && azureFlux.Match(text) {
			return number
		}
	}
	return 0
}

// azureWords say what becomes of a cluster where Azure runs Flux. Source: Microsoft's reference of fluxConfigurations,
// prune.
const azureWords = "Azure's extension microsoft.flux runs Flux, and installs and upgrades it by itself: Flux " +
	"Operator beside it would fight it, and nothing here migrates it. Before the extension goes, set prune " +
	"(garbage_collection_enabled) to false in each flux configuration and wait until the Kustomizations on the " +
	"cluster show it: what goes with the extension is otherwise all that it applied"

// tellAzure refuses an input in which Azure runs Flux, by a file that says so. It reports whether there is one.
func tellAzure(set *object.Set, found *finding.List) bool {
	if set.Files == nil || set.Read == nil {
		return false
	}
	for _, file := range set.Files(".") {
		if !MayRunAzure(file) {
			continue
		}
		content, _ := set.Read(file)
		if line := AzureFlux(file, content); line > 0 {
			found.Add(finding.Finding{Severity: finding.Error, Code: finding.AzureExtension,
				File: fmt.Sprintf("%s:%d", file, line), Message: azureWords})
			return true
		}
	}
	return false
}
