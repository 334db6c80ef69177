package live

import "testing"

// twoClusters migrates two clusters whose source is defined in a folder that both apply, one after the other: what a
// run does for one deletes and changes nothing on the other.
func twoClusters(t *testing.T, r *replay) {
	other := r.join(t, sharedTwo)
	for _, turn := range [][2]*replay{{r, other}, {other, r}} {
		turn[0].migrateBeside(t, turn[1])
	}
	other.judge(t)
}

// migrateBeside migrates a cluster, and looks at another one after each push.
func (r *replay) migrateBeside(t *testing.T, other *replay) {
	t.Helper()
	flags := []string{"--cluster", "./" + r.folder}
	r.deploy(t, flags...)
	other.follow(t)
	r.takenOver(t)
	r.finish(t, flags...)
	other.follow(t)
}

// follow fetches what was pushed for another cluster.
func (r *replay) follow(t *testing.T) {
	t.Helper()
	r.fetch(t)
	r.settle(t)
	r.kept(t, r.wanted...)
}
