// Package config reads what the user wants of the migration, strictly: an unknown field is an error, never ignored.
package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/reason"
)

// APIVersion and Kind of the function config; a ConfigMap with the same keys, dotted, is read as well.
const (
	APIVersion = "fn.kpt.dev/v1alpha1"
	Kind       = "MigrateToFluxOperator"
)

// The values of the fields that are a choice.
const (
	Deploy  = "deploy"
	Cleanup = "cleanup"

	HelmRelease  = "HelmRelease"
	External     = "external"
	FluxInstance = "FluxInstance"

	Minor = "minor"
	Exact = "exact"

	Adopt = "adopt"
	Keep  = "keep"

	On  = "on"
	Off = "off"

	None      = "none"
	Helmfile  = "helmfile"
	Shell     = "shell"
	Terraform = "terraform"
)

// charts is where the charts of Flux Operator are. Source: Flux Operator documentation, installation with Helm.
const charts = "oci://ghcr.io/controlplaneio-fluxcd/charts"

// Config is what the user wants. The JSON names are the field names of the function config, the keys of the ConfigMap
// and the flags of the commands.
type Config struct {
	// Phase is the commit to make: deploy adds Flux Operator beside the classic install, cleanup removes the classic
	// install.
	Phase string `json:"phase"`
	// TakenOver says that the owner has checked that Flux Operator owns the root, the source and the Flux objects.
	// Cleanup only.
	TakenOver bool `json:"takenOver"`
	// Clusters are the clusters to migrate, by their sync paths or by their roots as findings name them; all when
	// empty.
	Clusters []string `json:"clusters"`
	// Operator is about Flux Operator itself.
	Operator Operator `json:"operator"`
	// Instance is about the FluxInstance.
	Instance Instance `json:"instance"`
	// Sync is about the sync pair.
	Sync Sync `json:"sync"`
	// OutputDir is where new files go, relative to the root of the input; <sync path>/flux-operator when empty.
	OutputDir string `json:"outputDir"`
	// Bootstrap is how a rebuilt cluster gets Flux before Flux can sync: none, helmfile, shell or terraform.
	Bootstrap string `json:"bootstrap"`
	// Proof reports whether to prove that nothing is pruned: on or off.
	Proof Switch `json:"proof"`
	// Report reports whether the function adds a report for the pull request to its results: on or off. The command
	// plan writes it with --report.
	Report Switch `json:"report"`
}

// Switch is on or off, with or without quotes: YAML 1.1 takes the bare words for true and false.
type Switch string

// UnmarshalJSON reads on, off, and what YAML makes of them.
func (s *Switch) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		*s = On
	case "false":
		*s = Off
	default:
		var word string
		if json.Unmarshal(text, &word) != nil {
			return reason.New("%s is neither on nor off", text)
		}
		*s = Switch(word)
	}
	return nil
}

// Operator is how Flux Operator gets onto the cluster.
type Operator struct {
	// Version of the chart, which is the version of Flux Operator.
	Version string `json:"version"`
	// Install is HelmRelease, or external when something else already installs Flux Operator; when empty, what the
	// input shows.
	Install string `json:"install"`
	// Values of the flux-operator chart.
	Values map[string]any `json:"values"`
	// Kustomization is the name of the new Flux Kustomization for Flux Operator; flux-operator when empty.
	Kustomization string `json:"kustomization"`
	// Release is the name of the new HelmRelease and its source; flux-operator when empty.
	Release string `json:"release"`
	// Charts is the OCI repository that has the charts of Flux Operator: its own one, or a mirror of it.
	Charts string `json:"charts"`
}

// Instance is what the FluxInstance says.
type Instance struct {
	// Form is FluxInstance, or HelmRelease for the flux-instance chart; when empty the one that is there, else
	// FluxInstance.
	Form string `json:"form"`
	// Version is minor, exact, or a semver range for distribution.version.
	Version string `json:"version"`
	// Kustomization is the name of the new Flux Kustomization for the FluxInstance; flux-instance when empty.
	Kustomization string `json:"kustomization"`
	// Release is the name of the new HelmRelease of the form HelmRelease, and of its source; flux-instance when empty.
	Release string `json:"release"`
}

// Sync is what becomes of the sync pair.
type Sync struct {
	// Mode is adopt (FluxInstance.spec.sync takes the pair over) or keep (the pair stays in Git).
	Mode string `json:"mode"`
	// Path moves the root path; the path stays when empty.
	Path string `json:"path"`
}

// Default is the config where nothing is said.
func Default() Config {
	return Config{
		Phase:    Deploy,
		Operator: Operator{Version: flux.NewestOperator().Version.String(), Charts: charts},
		Instance: Instance{Version: Minor},
		Sync:     Sync{Mode: Adopt},

		Bootstrap: None,
		Proof:     On,
		Report:    Off,
	}
}

// document is the function config as a Kubernetes object.
type document struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Config     `json:",inline"`
}

// configMap is the other form of it.
type configMap struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]any    `json:"metadata"`
	Data       map[string]string `json:"data"`
}

// Parse reads a function config, of kind MigrateToFluxOperator or ConfigMap; an empty text is the default config.
//
// It fails on an unknown field, naming it, on a value that is not one of the choices, and on another kind.
func Parse(text []byte) (Config, error) {
	var meta struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := reason.Of(yaml.Unmarshal(text, &meta)); err != nil {
		return Config{}, fmt.Errorf("the function config is not YAML: %w", err)
	}
	config := Default()
	switch {
	case strings.TrimSpace(string(text)) == "" || strings.TrimSpace(string(text)) == "null":
	case meta.Kind == "ConfigMap" && meta.APIVersion == "v1":
		if err := fromConfigMap(text, &config); err != nil {
			return Config{}, err
		}
	case meta.Kind == Kind && meta.APIVersion == APIVersion:
		if err := checkNames(text); err != nil {
			return Config{}, err
		}
		doc := document{Config: config}
		if err := reason.Of(yaml.UnmarshalStrict(text, &doc)); err != nil {
			return Config{}, fmt.Errorf("the function config is wrong: %w", err)
		}
		config = doc.Config
	default:
		return Config{}, fmt.Errorf("the function config is a %s %s: use %s %s, or a ConfigMap", meta.APIVersion,
			meta.Kind, APIVersion, Kind)
	}
	return config, config.Validate()
}

// checkNames refuses a field that is not known by exactly this name: the decoder would take TakenOver for takenOver.
func checkNames(text []byte) error {
	var read map[string]any
	if err := reason.Of(yaml.Unmarshal(text, &read)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		group, isGroup := read[name].(map[string]any)
		switch {
		case name == "apiVersion" || name == "kind" || name == "metadata" || slices.Contains(Fields(), name):
		case isGroup && len(group) > 0:
			for _, key := range slices.Sorted(maps.Keys(group)) {
				if !slices.Contains(Fields(), name+"."+key) {
					return unknown(name + "." + key)
				}
			}
		case !slices.ContainsFunc(Fields(), func(field string) bool { return strings.HasPrefix(field, name+".") }):
			return unknown(name)
		}
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("unknown config field %q: the fields are %s", name, strings.Join(Fields(), ", "))
}

func fromConfigMap(text []byte, config *Config) error {
	var cm configMap
	if err := reason.Of(yaml.UnmarshalStrict(text, &cm)); err != nil {
		return fmt.Errorf("the function config is wrong: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(cm.Data)) {
		if err := config.Set(key, cm.Data[key]); err != nil {
			return err
		}
	}
	return nil
}

// Fields are the dotted names of all config fields, in the order of the reference.
func Fields() []string {
	return []string{"phase", "takenOver", "clusters", "operator.version", "operator.install", "operator.values",
		"operator.kustomization", "operator.release", "operator.charts", "instance.form", "instance.version",
		"instance.kustomization", "instance.release", "sync.mode", "sync.path", "outputDir", "bootstrap", "proof", "report"}
}

// Set sets one field by its dotted name from text, as a ConfigMap or a flag gives it.
//
// It fails on an unknown name and on a text that does not fit the field.
func (c *Config) Set(name, text string) error {
	var err error
	switch name {
	case "phase":
		c.Phase = text
	case "takenOver":
		c.TakenOver, err = boolean(text)
	case "clusters":
		c.Clusters = list(text)
	case "operator.version":
		c.Operator.Version = strings.TrimPrefix(text, "v")
	case "operator.install":
		c.Operator.Install = text
	case "operator.values":
		err = reason.Of(yaml.UnmarshalStrict([]byte(text), &c.Operator.Values))
	case "operator.kustomization":
		c.Operator.Kustomization = text
	case "operator.release":
		c.Operator.Release = text
	case "operator.charts":
		c.Operator.Charts = text
	case "instance.form":
		c.Instance.Form = text
	case "instance.version":
		c.Instance.Version = text
	case "instance.kustomization":
		c.Instance.Kustomization = text
	case "instance.release":
		c.Instance.Release = text
	case "sync.mode":
		c.Sync.Mode = text
	case "sync.path":
		c.Sync.Path = text
	case "outputDir":
		c.OutputDir = text
	case "bootstrap":
		c.Bootstrap = text
	case "proof":
		c.Proof = Switch(text)
	case "report":
		c.Report = Switch(text)
	default:
		return unknown(name)
	}
	if err != nil {
		return fmt.Errorf("config field %s: %w", name, err)
	}
	return nil
}

func boolean(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is not true or false", text)
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// ociRepository matches what an OCIRepository takes for its url.
var ociRepository = regexp.MustCompile(`^oci://[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+$`)

// Validate checks the fields that are a choice, and those that exclude each other.
func (c *Config) Validate() error {
	c.Operator.Version = strings.TrimPrefix(c.Operator.Version, "v")
	c.Operator.Charts = strings.TrimSuffix(c.Operator.Charts, "/")
	if !ociRepository.MatchString(c.Operator.Charts) {
		return fmt.Errorf("config field operator.charts is %q: use the address of an OCI repository, as %s is",
			c.Operator.Charts, charts)
	}
	choices := []struct {
		field, value string
		allowed      []string
	}{
		{"phase", c.Phase, []string{Deploy, Cleanup}},
		{"operator.install", cmp.Or(c.Operator.Install, HelmRelease), []string{HelmRelease, External}},
		{"instance.form", cmp.Or(c.Instance.Form, FluxInstance), []string{FluxInstance, HelmRelease}},
		{"sync.mode", c.Sync.Mode, []string{Adopt, Keep}},
		{"bootstrap", c.Bootstrap, []string{None, Helmfile, Shell, Terraform}},
		{"proof", string(c.Proof), []string{On, Off}},
		{"report", string(c.Report), []string{On, Off}},
	}
	for _, choice := range choices {
		if !slices.Contains(choice.allowed, choice.value) {
			return fmt.Errorf("config field %s is %q: use one of %s", choice.field, choice.value,
				strings.Join(choice.allowed, ", "))
		}
	}
	for _, name := range []struct{ field, value string }{
		{"operator.kustomization", c.Operator.Kustomization}, {"operator.release", c.Operator.Release},
		{"instance.kustomization", c.Instance.Kustomization}, {"instance.release", c.Instance.Release},
	} {
		if name.value != "" && len(validation.IsDNS1123Label(name.value)) > 0 {
			return fmt.Errorf("config field %s is %q: use a name that Kubernetes takes", name.field, name.value)
		}
	}
	return c.exclusions()
}

func (c *Config) exclusions() error {
	switch {
	case c.Instance.Version == "":
		return fmt.Errorf("config field instance.version is empty: use minor, exact or a semver range such as 2.6.x")
	case c.Sync.Mode == Keep && c.Sync.Path != "":
		return fmt.Errorf("config field sync.path needs sync.mode adopt: with keep the pair stays as it is")
	case len(c.Operator.Values) > 0 && c.Operator.Install == External:
		return fmt.Errorf("config field operator.values needs operator.install HelmRelease: an external install has " +
			"its own values")
	case c.Operator.Kustomization != "" && c.Operator.Kustomization == c.Instance.Kustomization:
		return fmt.Errorf("config fields operator.kustomization and instance.kustomization are both %q: each needs a "+
			"name of its own", c.Operator.Kustomization)
	case c.Operator.Release != "" && c.Operator.Release == c.Instance.Release:
		return fmt.Errorf("config fields operator.release and instance.release are both %q: each needs a name of its "+
			"own", c.Operator.Release)
	case slices.Contains(strings.Split(c.Sync.Path, "/"), ".."):
		return fmt.Errorf("config field sync.path is %q: use a path inside the repository", c.Sync.Path)
	case c.Bootstrap == Terraform && c.Instance.Form == HelmRelease:
		return fmt.Errorf("config field bootstrap: terraform applies a FluxInstance, which instance.form HelmRelease " +
			"does not write: use helmfile or shell")
	case c.Bootstrap == Terraform && c.Operator.Charts != charts:
		return fmt.Errorf("config field bootstrap: the Terraform module takes the charts from %s, and not from "+
			"operator.charts: use helmfile or shell", charts)
	case strings.HasPrefix(c.OutputDir, "/") || slices.Contains(strings.Split(c.OutputDir, "/"), ".."):
		return fmt.Errorf("config field outputDir is %q: use a path inside the repository", c.OutputDir)
	}
	return nil
}
