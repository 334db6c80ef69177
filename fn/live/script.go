package live

import (
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/shell"
)

// The marks in a snapshot, each at the start of a line of its own.
const (
	contextMark = "# context "
	listedMark  = "# listed "
	takenMark   = "# snapshot "
)

// head begins the script that makes a snapshot.
const head = `# Writes what Flux is on one cluster, for: migrate-to-flux-operator verify --live FILE
# It only reads, and of Secrets and ConfigMaps only the names. Run it once for each cluster; what it is given goes to
# kubectl:  sh snapshot.sh --context NAME > NAME.yaml
context=$(kubectl "$@" config view --minify -o 'jsonpath={.contexts[0].name}')
kubectl "$@" get --raw /version >/dev/null || {
  echo "the cluster cannot be read: see what kubectl says, and look at its context" >&2
  exit 1
}
echo "reading the cluster of the context $context" >&2
echo "` + contextMark + `$context"
`

// The resources of a snapshot that are printed whole.
const (
	fluxInstances  = "fluxinstances." + classic.OperatorGroup
	kustomizations = "kustomizations." + classic.KustomizeGroup
	helmReleases   = "helmreleases." + classic.HelmGroup
	crds           = "customresourcedefinitions.apiextensions.k8s.io"
	deployments    = "deployments.apps"
	sourcesOf      = "gitrepositories." + classic.SourceGroup + ",ocirepositories." + classic.SourceGroup +
		",buckets." + classic.SourceGroup
	named = "secrets,configmaps"
)

// sources are the kinds that a cluster can sync from.
var sources = []string{"GitRepository", "OCIRepository", "Bucket"}

// The fields that a snapshot has of objects which it does not hold whole, one object a line, as templates of kubectl.
// Whatever a text holds, it is quoted: an annotation is written by whoever may write the object.
var (
	nameFields = textFields + `{{range .items}}{apiVersion: v1, kind: {{template "text" .kind}}, ` +
		`metadata: {namespace: {{template "text" .metadata.namespace}}, name: {{template "text" .metadata.name}} } }` +
		`{{"\n"}}{{end}}`
	releaseFields = textFields + `{{range .items}}{apiVersion: {{template "text" .apiVersion}}, kind: HelmRelease, ` +
		`metadata: {namespace: {{template "text" .metadata.namespace}}, name: {{template "text" .metadata.name}}, ` +
		`generation: {{template "number" .metadata.generation}}, ` + guardFields + `}, ` +
		`spec: {suspend: {{with .spec}}{{if .suspend}}true{{end}}{{end}} }, status: {conditions: [` +
		`{{with .status}}{{range .conditions}}{{if eq .type "Ready"}} {type: Ready, ` +
		`status: {{template "text" .status}}, reason: {{template "text" .reason}}, ` +
		`observedGeneration: {{template "number" .observedGeneration}} }{{end}}{{end}}{{end}}]} }{{"\n"}}{{end}}`
	crdFields = textFields + `{{range .items}}{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, ` +
		`metadata: {name: {{template "text" .metadata.name}}, ` +
		`deletionTimestamp: {{template "text" .metadata.deletionTimestamp}}, ` + guardFields + `} }{{"\n"}}{{end}}`
	textFields = `{{define "text"}}{{with .}}{{printf "%q" .}}{{else}}""{{end}}{{end}}` +
		`{{define "number"}}{{with .}}{{printf "%d" .}}{{end}}{{end}}`
)

// guardFields are the labels of owners, and the guard, which may be a label or an annotation.
var guardFields = "labels: { " + keyed("labels", "app.kubernetes.io/version", nameLabel, namespaceLabel,
	inventory.PruneKey) + "}, annotations: { " + keyed("annotations", inventory.PruneKey) + "}"

// keyed are some of the labels or annotations of an object; nothing where it has none at all.
func keyed(of string, keys ...string) string {
	var all strings.Builder
	for _, key := range keys {
		all.WriteString(key + `: {{template "text" (index . "` + key + `")}}, `)
	}
	return "{{with .metadata." + of + "}}" + all.String() + "{{end}}"
}

// part is one thing that a script lists: a resource, in one namespace or in all.
type part struct {
	resource, namespace string
	// fields are those of each object that are printed, as a template of kubectl; without, all are.
	fields string
}

// mark is what a snapshot says that it has listed.
func (p part) mark() string { return strings.TrimSpace(p.resource + " " + p.namespace) }

// lines are the commands that list it, and say so where nothing failed.
func (p part) lines() string {
	scope := []string{"-A"}
	if p.namespace != "" {
		scope = []string{"-n", p.namespace}
	}
	output, before := "yaml", "echo ---\n"
	if p.fields != "" {
		output, before = "go-template="+p.fields, ""
	}
	get := shell.Run(slices.Concat([]string{"get", p.resource}, scope, []string{"-o", output})...)
	return before + string(shell.Run("kubectl")) + ` "$@" ` + string(get) + " &&\n  " + string(shell.Run("echo",
		listedMark+p.mark())) + "\n"
}

// partsOf are all that a snapshot lists of a cluster whose Flux is in these namespaces.
func partsOf(namespaces ...string) []part {
	all := []part{{resource: crds, fields: crdFields}, {resource: fluxInstances}, {resource: kustomizations},
		{resource: sourcesOf},
		{resource: helmReleases, fields: releaseFields}}
	for _, namespace := range namespaces {
		all = append(all, part{resource: deployments, namespace: namespace}, part{resource: named,
			namespace: namespace, fields: nameFields})
	}
	return all
}

// Script is a script for a POSIX shell that writes a snapshot of the cluster that kubectl is told: of Flux in these
// namespaces, and of what Flux applies anywhere. A resource that is not served is said on stderr and is no mistake:
// the CRDs tell which are.
func Script(namespaces ...string) string {
	var script strings.Builder
	script.WriteString(head)
	for _, p := range partsOf(namespaces...) {
		script.WriteString(p.lines())
	}
	script.WriteString("date -u '+" + takenMark + "%Y-%m-%dT%H:%M:%SZ'\n")
	return script.String()
}
