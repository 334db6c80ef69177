package flux

import "fmt"

// sync is spec.sync of a FluxInstance.
type sync struct {
	Name       string `json:"name"`
	Interval   string `json:"interval"`
	Kind       string `json:"kind"`
	URL        string `json:"url"`
	Ref        string `json:"ref"`
	Path       string `json:"path"`
	PullSecret string `json:"pullSecret"`
	Provider   string `json:"provider"`
}

// check refuses what the operator refuses. The CRD's own rules on provider and kind are the API server's.
func (s *sync) check(version string) error {
	if s != nil && s.Kind == "GitRepository" && s.Provider == "aws" && !atLeast(version, "2.9.0") {
		return fmt.Errorf("spec.sync.provider aws for a GitRepository needs Flux 2.9, not %s", version)
	}
	return nil
}

// manifest is the pair that the operator generates. It is text on purpose: the operator puts the values in unquoted, so
// that a ref such as 1.10 becomes a number, and fails on the cluster.
func (s *sync) manifest(o Options) []byte {
	source := []string{
		"apiVersion: " + s.sourceAPI(o.Version),
		"kind: " + s.Kind,
		"metadata:",
		"  name: " + s.Name,
		"  namespace: " + o.Namespace,
		"spec:",
		"  interval: " + s.Interval,
	}
	source = append(source, s.refLines()...)
	if s.PullSecret != "" {
		source = append(source, "  secretRef:", "    name: "+s.PullSecret)
	}
	if s.Provider != "" {
		source = append(source, "  provider: "+s.Provider)
	}
	return lines(append(source,
		"---",
		"apiVersion: kustomize.toolkit.fluxcd.io/v1",
		"kind: Kustomization",
		"metadata:",
		"  name: "+s.Name,
		"  namespace: "+o.Namespace,
		"spec:",
		"  interval: 10m0s",
		"  path: "+s.Path,
		"  prune: true",
		"  sourceRef:",
		"    kind: "+s.Kind,
		"    name: "+s.Name,
	)...)
}

// refLines are the address and the reference of the source, by its kind.
func (s *sync) refLines() []string {
	switch s.Kind {
	case "Bucket":
		return []string{"  endpoint: " + s.URL, "  bucketName: " + s.Ref}
	case "OCIRepository":
		return []string{"  url: " + s.URL, "  ref:", "    tag: " + s.Ref}
	default:
		return []string{"  url: " + s.URL, "  ref:", "    name: " + s.Ref}
	}
}

// sourceAPI is the API version of the generated source: the other kinds became v1 in Flux v2.6.
func (s *sync) sourceAPI(version string) string {
	if s.Kind == "GitRepository" || atLeast(version, "2.6.0") {
		return "source.toolkit.fluxcd.io/v1"
	}
	return "source.toolkit.fluxcd.io/v1beta2"
}
