package census

import (
	"slices"
	"testing"

	"migrate-to-flux-operator/fn/fields"
)

// complete has a rule for every field of a GitRepository.
var complete = []fields.Rule{{From: "spec", Restate: true}, {From: "status", Why: "written by the controller"}, {From: "metadata.name", To: "name"}}

func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  string
		rules []fields.Rule
		want  []string
	}{
		{"all is taken", "GitRepository", complete, nil},
		{"a row is gone", "GitRepository", slices.Delete(slices.Clone(complete), 1, 2), []string{"GitRepository: no rule takes status"}},
		{"a row is bogus", "GitRepository", append(slices.Clone(complete), fields.Rule{From: "spec.urls", To: "url"}),
			[]string{"GitRepository: the rule for spec.urls takes nothing that the API has"}},
		{"a row is below a leaf", "GitRepository", append(slices.Clone(complete), fields.Rule{From: "spec.url.host", To: "url"}),
			[]string{"GitRepository: the rule for spec.url.host takes nothing that the API has"}},
		{"an unknown kind", "GitRepo", complete, []string{"the data has no fields of GitRepo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if have := Complaints(c.kind, c.rules); !slices.Equal(have, c.want) {
				t.Errorf("want %q, have %q", c.want, have)
			}
		})
	}
}

// TestBlind proves that a row that takes nothing is seen to be one that could go, and a row that takes something is
// not.
func TestBlind(t *testing.T) {
	if have := Blind("GitRepository", complete); len(have) > 0 {
		t.Errorf("each row takes something, have %q", have)
	}
	bogus := append(slices.Clone(complete), fields.Rule{From: "other.field", To: "url"})
	if have := Blind("GitRepository", bogus); len(have) > 0 {
		t.Errorf("the loss of a bogus row ends a complaint, have %q", have)
	}
	double := append(slices.Clone(complete), fields.Rule{From: "spec.url", To: "url"})
	if have := Blind("GitRepository", double); len(have) > 0 {
		t.Errorf("a row beside one for its parent has another to stand in, have %q", have)
	}
}

// TestData proves that the data holds the versions that differ most.
func TestData(t *testing.T) {
	for _, c := range []struct{ kind, field string }{
		{"GitRepository", "spec.gitImplementation"},
		{"OCIRepository", "spec.ref.semverFilter"},
		{"Bucket", "spec.sts.provider"},
		{"Kustomization", "spec.patchesStrategicMerge"},
		{"Kustomization", "spec.healthCheckExprs"},
	} {
		if !slices.Contains(leavesOf(c.kind), c.field) {
			t.Errorf("the data has no %s of %s", c.field, c.kind)
		}
	}
}
