package bootstrap

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// shell writes a POSIX script of helm and kubectl.
func (w *writer) shell() {
	name := path.Join(w.dir, "bootstrap.sh")
	s := &script{writer: w}
	s.line("#!/bin/sh")
	s.out.WriteString(w.header("sh "+name, "It creates what a file defines, and stops where one of these is missing in the namespace "+w.namespace+":", w.missing()))
	s.line("set -eu")
	s.line(`cd "$(dirname "$0")/%s"`, relative(w.dir, "."))
	s.line("")
	s.line("namespace=%s", quoted(w.namespace))
	s.functions()
	s.checks()
	s.needs()
	s.install()
	s.line("")
	s.line(`echo "Flux runs and syncs: flux -n $namespace get kustomizations"`)
	w.put(name, s.out.String(), 0o755)
	w.told(name, "sh "+name)
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

// quoted is a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

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
fi`, strings.Join(tools, " "), quoted(s.name))
}

// needs makes sure that Flux can sync: what a file defines is created, the rest has to be there.
func (s *script) needs() {
	s.line(`
kubectl create namespace "$namespace" --dry-run=client --output=yaml | apply --filename=-`)
	for _, n := range s.missing() {
		s.line(`has %s %s || fail "create the %s %s in the namespace $namespace, then run this again"`,
			strings.ToLower(n.ID.Kind), quoted(n.ID.Name), n.ID.Kind, n.ID.Name)
	}
	for _, n := range s.cluster.needs {
		kind, name := strings.ToLower(n.ID.Kind), quoted(n.ID.Name)
		switch {
		case n.file == "":
		case n.encrypted:
			s.line(`has %s %s || sops --decrypt %s | apply --namespace "$namespace" --filename=-`, kind, name, quoted(n.file))
		default:
			s.line(`has %s %s || apply --namespace "$namespace" --filename=%s`, kind, name, quoted(n.file))
		}
	}
}

// install brings Flux Operator and the FluxInstance.
func (s *script) install() {
	s.line("")
	s.helm(s.operator, "--wait", "--timeout=10m")
	s.line("kubectl wait crd/fluxinstances.fluxcd.controlplane.io --for=condition=Established --timeout=1m")
	if s.manifest != "" {
		s.line("apply --filename=%s", quoted(s.manifest))
	} else {
		s.helm(s.instance)
	}
	s.line(`kubectl --namespace "$namespace" wait fluxinstance/%s --for=condition=Ready --timeout=10m`, s.name)
	for _, file := range s.pair {
		s.line("apply --filename=%s", quoted(file))
	}
}

// helm installs a chart in the version and with the values that Git has for Flux. Both are read first, so that the script
// stops where they cannot be.
func (s *script) helm(c chart, flags ...string) {
	if c.versionFile != "" {
		s.line("version=$(yq -r -e '.%s' %s)", strings.Join(c.versionPath, "."), quoted(c.versionFile))
	} else {
		s.line("version=%s", quoted(c.version))
	}
	switch {
	case c.inFile:
		s.line("values=$(yq '.spec.values // {}' %s)", quoted(c.release.File))
	case len(c.values) > 0:
		s.line("values=%s", quoted(yamlOf(c.values)))
	default:
		s.line("values='{}'")
	}
	s.line("%s", strings.Join(append([]string{"release", c.releaseName(), charts + c.name}, flags...), " "))
}
