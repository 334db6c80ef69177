package classic

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// chartReads are the values that the templates of the chart read, but for those of a controller.
// Source: charts/flux2/templates of the chart 2.18.3.
const chartReads = `cli.affinity cli.annotations cli.image cli.nodeSelector cli.resources cli.serviceAccount.automount cli.tag cli.tolerations clusterDomain
crds.annotations crds.migration.enabled distro.openshift extraObjects imagePullSecrets installCRDs logLevel multitenancy.defaultServiceAccount
multitenancy.enabled multitenancy.privileged policies.create prometheus.podMonitor.additionalLabels prometheus.podMonitor.create
prometheus.podMonitor.podMetricsEndpoints rbac.annotations rbac.create rbac.createAggregation rbac.roleRef.name watchAllNamespaces`

// controllerReads are those that it reads of every controller, and furtherReads those that it reads of some.
const controllerReads = `affinity annotations container.additionalArgs create extraEnv image imagePullPolicy initContainers labels nodeSelector
podSecurityContext priorityClassName resources securityContext serviceAccount.annotations serviceAccount.automount serviceAccount.create tag tolerations
volumeMounts volumes`

var furtherReads = map[string]string{
	"helmController":            "replicas",
	"imageAutomationController": "replicas",
	"imageReflectionController": "replicas",
	"kustomizeController":       "replicas envFrom.map.name envFrom.secret.name extraSecretMounts secret.create secret.data secret.name",
	"notificationController": "replicas service.annotations service.labels webhookReceiver.ingress.annotations webhookReceiver.ingress.create " +
		"webhookReceiver.ingress.hosts webhookReceiver.ingress.ingressClassName webhookReceiver.ingress.labels webhookReceiver.ingress.tls webhookReceiver.service.annotations webhookReceiver.service.labels",
	"sourceController": "service.annotations service.labels",
	"sourceWatcher":    "service.annotations service.labels",
}

// TestChartValues holds the rules against what the chart reads, both ways.
func TestChartValues(t *testing.T) {
	holdRules(t, "", valueRules, strings.Fields(chartReads))
	for _, c := range chartControllers {
		holdRules(t, c.key+".", slices.Concat(controllerRules, further[c.key]), strings.Fields(controllerReads+" "+furtherReads[c.key]))
	}
}

func holdRules(t *testing.T, prefix string, rules []fields.Rule, reads []string) {
	t.Helper()
	for _, value := range reads {
		if !slices.ContainsFunc(rules, func(r fields.Rule) bool { return r.From == value || strings.HasPrefix(value, r.From+".") }) {
			t.Errorf("no rule takes %s%s", prefix, value)
		}
	}
	for _, rule := range rules {
		if !slices.ContainsFunc(reads, func(v string) bool { return v == rule.From || strings.HasPrefix(v, rule.From+".") }) {
			t.Errorf("the rule for %s%s takes nothing that the chart reads", prefix, rule.From)
		}
	}
}

// TestChartBodies holds that each value that a rule moves has a patch, so that none is moved and then forgotten.
func TestChartBodies(t *testing.T) {
	readElsewhere := []string{"create", "image", "tag", "serviceLabels", "serviceAnnotations", "receiverLabels", "receiverAnnotations", "accountAnnotations", "ingress"}
	for _, c := range chartControllers {
		for _, rule := range slices.Concat(controllerRules, further[c.key]) {
			value, _, _ := strings.Cut(rule.To, ".")
			if value == "" || value == "same" || slices.Contains(readElsewhere, value) {
				continue
			}
			if !slices.ContainsFunc(bodies, func(b valueBody) bool { return b.value == value }) {
				t.Errorf("%s.%s is moved to %s, which no patch reads", c.key, rule.From, value)
			}
		}
	}
}

func TestChartFlux(t *testing.T) {
	for _, c := range []struct{ chart, want string }{
		{"2.14.1", "2.4.0"}, {"v2.16.4", "2.6.4"}, {"2.16.x", "2.6.x"}, {"~2.12.0", "2.2.x"}, {"2.10.1", "2.1.1"}, {"1.7.0", "0.36.0"},
		{"2.x", ""}, {">=2.14.0", ""}, {"", ""}, {"2.99.0", ""}, {"2.99.x", ""}, {"2.8.0", ""}, {"latest", ""},
	} {
		got, err := chartFlux(c.chart)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%q: got %v, %v; want %q", c.chart, got, err, c.want)
		}
	}
}

func TestOverlay(t *testing.T) {
	got := object.Overlay(map[string]any{"a": map[string]any{"b": 1, "c": []any{1}}}, map[string]any{"a": map[string]any{"c": []any{2}}, "d": nil})
	want := map[string]any{"a": map[string]any{"b": 1, "c": []any{2}}, "d": nil}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestUnmappedValues holds that a value without a counterpart is named and never left out.
func TestUnmappedValues(t *testing.T) {
	for _, c := range []struct {
		field string
		value map[string]any
	}{
		{"distro.openshift", map[string]any{"distro": map[string]any{"openshift": true}}},
		{"rbac.create", map[string]any{"rbac": map[string]any{"create": false}}},
		{"multitenancy.privileged", map[string]any{"multitenancy": map[string]any{"privileged": false}}},
		{"imagePullSecrets", map[string]any{"imagePullSecrets": []any{map[string]any{"name": "a"}, map[string]any{"name": "b"}}}},
		{"new", map[string]any{"new": "x"}},
		{"helmController", map[string]any{"helmController": "x"}},
		{"helmController.resources", map[string]any{"helmController": map[string]any{"resources": nil}}},
		{"sourceController.replicas", map[string]any{"sourceController": map[string]any{"replicas": 2}}},
		{"prometheus.podMonitor.create", map[string]any{"prometheus": map[string]any{"podMonitor": map[string]any{"create": "yes"}}}},
		{"kustomizeController.secret.create", map[string]any{"kustomizeController": map[string]any{"secret": map[string]any{"create": true}}}},
	} {
		install := &Install{Anchor: &object.Object{}, Version: Version{Release: nextMinor("2.5.0")}}
		err := install.readValues(c.value, &finding.List{})
		if err == nil || !strings.Contains(err.Error(), "field spec.values."+c.field+" = ") {
			t.Errorf("%s: got %v", c.field, err)
		}
	}
}

// TestTops leads from an app to what the root applies itself.
func TestTops(t *testing.T) {
	ks := func(file, name, path string) *object.Object {
		o, err := object.Parse("apiVersion: "+KustomizeGroup+"/v1\nkind: Kustomization\nmetadata:\n  name: "+name+"\n  namespace: flux-system\nspec:\n  path: "+path+"\n", file, 0)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	release, err := object.Parse("apiVersion: "+HelmGroup+"/v2\nkind: HelmRelease\nmetadata:\n  name: flux\n", "one/apps/flux/app/release.yaml", 0)
	if err != nil {
		t.Fatal(err)
	}
	list, err := object.Parse("apiVersion: "+ConfigGroup+"/v1beta1\nkind: Kustomization\nresources: [flux/ks.yaml]\n", "one/apps/kustomization.yaml", 0)
	if err != nil {
		t.Fatal(err)
	}
	root, apps := ks("one/flux/config/cluster.yaml", "cluster", "./one/flux"), ks("one/flux/apps.yaml", "apps", "./one/apps")
	for _, path := range []string{"./one/apps/flux/app", "${BASE}/flux/app"} {
		set := object.NewSet([]*object.Object{root, apps, list, release, ks("one/apps/flux/ks.yaml", "flux", path), ks("two/ks.yaml", "other", "./two")})
		if got := tops(set, release); !slices.Equal(got, []*object.Object{apps}) {
			t.Errorf("%s: got %v in %s", path, got[0].ID, got[0].File)
		}
	}
	circle := []*object.Object{release, ks("a/a.yaml", "a", "./one"), ks("one/b.yaml", "b", "./a")}
	for _, all := range [][]*object.Object{{release}, circle} {
		if got := tops(object.NewSet(all), release); !slices.Equal(got, []*object.Object{release}) {
			t.Errorf("no root applies it: got %v", got[0].ID)
		}
	}
}
