package instance

import (
	"testing"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/flux"
)

// TestChartHasWhatFollows holds the values that follow the controllers against the oldest chart that is installed.
func TestChartHasWhatFollows(t *testing.T) {
	for _, value := range []string{"tolerations", "nodeSelector", "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
		"priorityClassName", "hostNetwork", "image.repository", "image.pullSecrets", "serviceMonitor.create"} {
		if !flux.ChartHas(flux.OperatorChart, semver.MustParse(minimumOperator), value) {
			t.Errorf("the chart %s %s has no value %s", flux.OperatorChart, minimumOperator, value)
		}
	}
}

func TestCommonHostNetwork(t *testing.T) {
	on := func(port int) map[string]any {
		return map[string]any{"hostNetwork": true, "containers": []any{map[string]any{"ports": []any{map[string]any{"containerPort": port}}}}}
	}
	for port, want := range map[int]string{18080: "", 8080: "8080", 8081: "8081"} {
		if got := sharedPort([]map[string]any{on(9440), on(port)}); got != want {
			t.Errorf("port %d: %q, want %q", port, got, want)
		}
	}
}
