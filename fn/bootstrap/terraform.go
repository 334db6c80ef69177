package bootstrap

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/shell"
)

// The module that bootstraps Flux Operator, and a release of it whose inputs are known.
// Source: controlplaneio-fluxcd/terraform-kubernetes-flux-operator-bootstrap v0.8.0, variables.tf and versions.tf.
const (
	terraformModule  = "controlplaneio-fluxcd/flux-operator-bootstrap/kubernetes"
	terraformVersion = "0.8.0"
)

// terraform writes a root module that calls Flux Operator's own one, which hands over what it applies to Flux.
func (w *writer) terraform() {
	name := path.Join(w.dir, "main.tf")
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	initialize, apply := shell.Run("terraform", "-chdir="+w.dir, "init"),
		shell.Run("terraform", "-chdir="+w.dir, "apply")
	out.WriteString(w.header("export KUBE_CONFIG_PATH=~/.kube/config; "+initialize+"; "+apply,
		w.before()[:len(w.before())-1]+", or in secrets_yaml:", w.secrets()))
	line(`
terraform {
  required_version = ">= 1.11.0"

  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 3.0"
    }
  }
}

variable "revision" {
  description = "Raise it to run the bootstrap once more."
  type        = number
  default     = 1
}

variable "secrets_yaml" {
  description = %s
  type        = string
  sensitive   = true
}

module "flux_operator_bootstrap" {
  source  = %s
  version = %s

  revision = var.revision

  gitops_resources = {
    instance_yaml = %s`, hcl(secretsDescription), hcl(terraformModule), hcl(terraformVersion), w.file(w.manifest))
	w.prerequisiteFiles(line)
	line(`
    operator_chart = {
      version     = %s
      values_yaml = %s
    }
  }

  managed_resources = {
    secrets_yaml = var.secrets_yaml
  }
}`, w.terraformVersion(), w.terraformValues())
	w.put(name, out.String(), 0)
	w.told(name, shell.And(initialize, apply))
}

// secretsDescription says what an input of the module does: it deletes what it has created and is no longer told.
// Source: terraform-kubernetes-flux-operator-bootstrap v0.8.0, scripts/bootstrap.sh, inventory of managed resources.
const secretsDescription = "Secrets for the namespace of Flux, as YAML documents; empty when they are there already. " +
	"Leaving one out later deletes it."

// secrets are the Secrets that Flux needs to sync, and what else no prerequisite brings.
func (w *writer) secrets() []need {
	return slices.DeleteFunc(slices.Clone(w.cluster.needs), w.isPrerequisite)
}

// isPrerequisite reports whether the module can apply what Flux needs from its file: it sets no namespace, and its
// state holds the content, which is nothing for Secrets.
func (w *writer) isPrerequisite(n need) bool {
	return n.file != "" && n.ID.Kind != "Secret" && n.Defined.Namespace == w.namespace
}

// prerequisiteFiles are the ConfigMaps that Flux needs to sync, after their namespace, which the module creates later
// than them.
func (w *writer) prerequisiteFiles(line func(string, ...any)) {
	var files []string
	for _, n := range w.cluster.needs {
		if w.isPrerequisite(n) {
			files = append(files, w.file(n.file))
		}
	}
	if len(files) == 0 {
		return
	}
	line("\n    prerequisites = {\n      yamls = [")
	line("        yamlencode({ apiVersion = \"v1\", kind = \"Namespace\", metadata = { name = %s } }),",
		hcl(w.namespace))
	for _, file := range files {
		line("        %s,", file)
	}
	line("      ]\n    }")
}

// file reads a file of the repository.
func (w *writer) file(name string) string {
	return `file("${path.module}/` + hcl(relative(w.dir, name))[1:] + `)`
}

// terraformVersion is the version of the chart, read from where Git has it.
func (w *writer) terraformVersion() string {
	if w.operator.versionFile == "" {
		return hcl(w.operator.version)
	}
	return fmt.Sprintf("yamldecode(%s).%s", w.file(w.operator.versionFile), strings.Join(w.operator.versionPath, "."))
}

// terraformValues are those of the HelmRelease.
func (w *writer) terraformValues() string {
	switch {
	case w.operator.inFile:
		return fmt.Sprintf("yamlencode(try(yamldecode(%s).spec.values, {}))", w.file(w.operator.release.File))
	case len(w.operator.values) == 0:
		return `""`
	}
	return hcl(yamlOf(w.operator.values))
}

// hcl is a text as HCL's quoted template writes it.
func hcl(text string) string {
	var out strings.Builder
	for i, r := range text {
		switch before := text[:i]; {
		case r == '"' || r == '\\':
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r == '{' && (strings.HasSuffix(before, "$") || strings.HasSuffix(before, "%")):
			fmt.Fprintf(&out, `\u%04x`, r)
		case unicode.IsControl(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return `"` + out.String() + `"`
}

// yamlOf writes values that were decoded from YAML, so that they can be written as YAML.
func yamlOf(values map[string]any) string {
	text, _ := yaml.Marshal(values)
	return string(text)
}
