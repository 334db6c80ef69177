package bootstrap

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/shell"
)

// shell writes a POSIX script of helm and kubectl.
func (w *writer) shell() {
	name := path.Join(w.dir, "bootstrap.sh")
	s := &script{writer: w}
	s.line("#!/bin/sh")
	command := shell.Run("sh", shell.Path(name))
	s.out.WriteString(w.header(command, "It creates what a file defines, and stops where one of these is missing in "+
		"the namespace "+w.namespace+":", w.missing()))
	s.line("set -eu")
	s.line(`cd "$(dirname "$0")/%s"`, relative(w.dir, "."))
	s.line("")
	s.line("namespace=%s", shell.Quoted(w.namespace))
	s.functions()
	s.checks()
	s.needs()
	s.install()
	s.line("")
	s.line(`echo "Flux runs and syncs: flux -n $namespace get kustomizations"`)
	w.put(name, s.out.String(), 0o755)
	w.told(name, command)
}

// missing are what no file of the repository can create.
func (w *writer) missing() []need {
	return slices.DeleteFunc(slices.Clone(w.cluster.needs), func(n need) bool { return n.file != "" })
}

// script is a shell script in the making.
type script struct {
	*writer
	out strings.Builder
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *script) functions() {
	s.line(`
fail() {
  echo "$*" >&2
  exit 1
}

apply() {
  kubectl apply --server-side --field-manager=%s "$@"
}`, fieldManager)
	if len(s.cluster.needs) > 0 {
		s.line(`
# has KIND NAME
has() {
  kubectl --namespace "$namespace" get "$1" "$2" >/dev/null 2>&1
}`)
	}
	s.line(`
# release NAME CHART [HELM FLAGS], with $version and $values. A release that is there is brought to the same state.
release() {
  printf '%%s\n' "$values" |
    helm upgrade --install "$@" --version "$version" --namespace "$namespace" --values -
}`)
}

// checks stop before anything is changed.
func (s *script) checks() {
	tools := []string{"helm", "kubectl"}
	if s.operator.inFile || s.operator.versionFile != "" || s.instance.release != nil {
		tools = append(tools, "yq")
	}
	for _, n := range s.cluster.needs {
		if n.encrypted {
			tools = append(tools, "sops")
			break
		}
	}
	s.line(`
for tool in %s; do
  command -v "$tool" >/dev/null || fail "$tool is needed"
done
kubectl version >/dev/null || fail "no cluster answers"
if kubectl --namespace "$namespace" get deployment source-controller >/dev/null 2>&1 &&
  ! kubectl --namespace "$namespace" get fluxinstances.fluxcd.controlplane.io %s >/dev/null 2>&1; then
  fail "this cluster runs Flux without Flux Operator: migrate it by Git, and do not bootstrap it"
fi`, strings.Join(tools, " "), shell.Quoted(s.name))
}

// needs makes sure that Flux can sync: what a file defines is created, the rest has to be there.
func (s *script) needs() {
	s.line(`
kubectl create namespace "$namespace" --dry-run=client --output=yaml | apply --filename=-`)
	for _, n := range s.missing() {
		s.line(`has %s %s || fail %s`, shell.Word(strings.ToLower(n.ID.Kind)), shell.Quoted(n.ID.Name),
			shell.Quoted(fmt.Sprintf("create the %s %s in the namespace %s, then run this again", n.ID.Kind, n.ID.Name,
				s.namespace)))
	}
	for _, n := range s.cluster.needs {
		kind, name := shell.Word(strings.ToLower(n.ID.Kind)), shell.Quoted(n.ID.Name)
		switch {
		case n.file == "":
		case n.encrypted:
			s.line(`has %s %s || sops --decrypt %s | apply --namespace "$namespace" --filename=-`, kind, name,
				shell.Quoted(shell.Path(n.file)))
		default:
			s.line(`has %s %s || apply --namespace "$namespace" --filename=%s`, kind, name,
				shell.Quoted(shell.Filename(n.file)))
		}
	}
}

// install brings Flux Operator and the FluxInstance.
func (s *script) install() {
	s.line("")
	s.helm(s.operator, "--wait", "--timeout=10m")
	s.line("kubectl wait crd/fluxinstances.fluxcd.controlplane.io --for=condition=Established --timeout=1m")
	if s.manifest != "" {
		s.line("apply --filename=%s", shell.Quoted(shell.Filename(s.manifest)))
	} else {
		s.helm(s.instance)
	}
	s.line(`kubectl --namespace "$namespace" wait %s --for=condition=Ready --timeout=10m`,
		shell.Word("fluxinstance/"+s.name))
	for _, file := range s.pair {
		s.line("apply --filename=%s", shell.Quoted(shell.Filename(file)))
	}
}

// helm installs a chart in the version and with the values that Git has for Flux. Both are read first, so that the
// script stops where they cannot be.
func (s *script) helm(c chart, flags ...string) {
	if c.versionFile != "" {
		s.line("version=$(yq -r -e '.%s' %s)", strings.Join(c.versionPath, "."),
			shell.Quoted(shell.Path(c.versionFile)))
	} else {
		s.line("version=%s", shell.Quoted(c.version))
	}
	switch {
	case c.inFile:
		s.line("values=$(yq '.spec.values // {}' %s)", shell.Quoted(shell.Path(c.release.File)))
	case len(c.values) > 0:
		s.line("values=%s", shell.Quoted(yamlOf(c.values)))
	default:
		s.line("values='{}'")
	}
	s.line("%s", shell.Run(append([]string{"release", c.releaseName(), s.charts + c.name}, flags...)...))
}
