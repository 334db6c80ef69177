package finding

import (
	"fmt"
	"strings"
)

// Code names a kind of finding, so that people can look it up and programs can tell it, whatever its words.
type Code string

// The codes, in the order of the table.
const (
	// The install.
	NoInstall           Code = "no-install"
	InstallNotApplied   Code = "install-not-applied"
	NoSyncPair          Code = "no-sync-pair"
	SyncPairFromHelm    Code = "sync-pair-from-helm"
	TwoRoots            Code = "two-roots"
	TwoInstalls         Code = "two-installs"
	TwoOwners           Code = "two-owners"
	AzureExtension      Code = "azure-extension"
	EmptyManifests      Code = "empty-manifests"
	NotListed           Code = "not-listed"
	NoKustomizationFile Code = "no-kustomization-file"
	NotFollowed         Code = "not-followed"
	UnsupportedField    Code = "unsupported-field"
	VersionUnknown      Code = "version-unknown"
	MixedVersions       Code = "mixed-versions"
	CompareWithCluster  Code = "compare-with-cluster"
	Shard               Code = "shard"
	InstallDoesNotBuild Code = "install-does-not-build"
	PatchTarget         Code = "patch-target"
	GeneratedName       Code = "generated-name"
	NamePrefix          Code = "name-prefix"
	NamespaceField      Code = "namespace-field"
	ImagePinned         Code = "image-pinned"
	DigestNotCarried    Code = "digest-not-carried"
	PatchWithoutEffect  Code = "patch-without-effect"
	CRDPatch            Code = "crd-patch"
	CRDVersionNumber    Code = "crd-version-number"
	ChartObjects        Code = "chart-objects-stay"
	ChartDiffers        Code = "chart-differs"
	HelmOwnsRelease     Code = "helm-owns-release"

	// The plan.
	RemoteCluster             Code = "remote-cluster"
	RootWithoutPath           Code = "root-without-path"
	RootMoves                 Code = "root-moves"
	RootCannotMove            Code = "root-cannot-move"
	SyncPathDiffers           Code = "sync-path-differs"
	UnknownField              Code = "unknown-field"
	VariableSubstitution      Code = "variable-substitution"
	APIVersionNotServed       Code = "api-version-not-served"
	NameTaken                 Code = "name-taken"
	OutputDir                 Code = "output-dir"
	HandEditRefused           Code = "hand-edit-refused"
	HandEditKept              Code = "hand-edit-kept"
	VersionNotCarried         Code = "version-not-carried"
	Downgrade                 Code = "downgrade"
	Upgrade                   Code = "upgrade"
	OperatorVersion           Code = "operator-version"
	NewerThanTables           Code = "newer-than-tables"
	OperatorPresent           Code = "operator-present"
	OperatorPrerequisite      Code = "operator-prerequisite"
	TerraformInstallsOperator Code = "terraform-installs-operator"
	WrongNamespace            Code = "wrong-namespace"
	InstanceRefused           Code = "instance-refused"
	InstanceUnknown           Code = "instance-unknown"
	NoHelmController          Code = "no-helm-controller"
	RendersDifferently        Code = "renders-differently"
	ChartHasNoValue           Code = "chart-has-no-value"
	OperatorValues            Code = "operator-values"
	OperatorMetrics           Code = "operator-metrics"
	OperatorHostNetwork       Code = "operator-host-network"
	OperatorImage             Code = "operator-image"
	LabelsChange              Code = "labels-change"
	ChangedByOperator         Code = "imposed"

	// What is there, and cleanup.
	NoInstance           Code = "no-instance"
	InstanceDefinedTwice Code = "instance-defined-twice"
	InstanceNotApplied   Code = "instance-not-applied"
	FormDiffers          Code = "form-differs"
	ComponentMissing     Code = "component-missing"
	SyncRemoved          Code = "sync-removed"
	SecondSyncPair       Code = "second-sync-pair"
	NotRestated          Code = "not-restated"
	SettingWithoutEffect Code = "setting-without-effect"
	HelmKeep             Code = "helm-keep"
	TakenOverNotSaid     Code = "taken-over-not-said"
	ClusterNotReady      Code = "cluster-not-ready"
	CleanupUnpublished   Code = "cleanup-unpublished"
	PushNotChecked       Code = "push-not-checked"
	CloneBehind          Code = "clone-behind"
	GitUnreadable        Code = "git-unreadable"
	UncommittedChanges   Code = "uncommitted-changes"
	IgnoredByGit         Code = "ignored-by-git"
	ApplyKilled          Code = "apply-killed"
	GuardMissing         Code = "guard-missing"
	GuardUndone          Code = "guard-undone"
	SecondDefinition     Code = "second-definition"
	GuardsElsewhere      Code = "guards-elsewhere"
	SharedManifests      Code = "shared-manifests"
	CannotBeEdited       Code = "cannot-be-edited"
	SOPSSigned           Code = "sops-signed"
	DependsOnChanged     Code = "depends-on-changed"
	ReferenceLeft        Code = "reference-left"
	FileWithoutUse       Code = "file-without-use"
	ReferenceBreaks      Code = "reference-breaks"
	ImageAutomation      Code = "image-automation"
	NamedByTooling       Code = "named-by-tooling"
	TerraformBootstrap   Code = "terraform-bootstrap"
	VersionsRaisedBy     Code = "versions-raised-by"
	DeleteByHand         Code = "delete-by-hand"
	OneShotBootstrap     Code = "one-shot-bootstrap"

	// What Flux applies.
	FilesUnreadable  Code = "files-unreadable"
	RootDoesNotBuild Code = "root-does-not-build"
	IgnoredBySource  Code = "ignored-by-source"
	Incomplete       Code = "incomplete"
	BesideInstall    Code = "beside-the-install"
	NotJudged        Code = "not-judged"
	AppliesMore      Code = "applies-more"
	WouldBreak       Code = "would-break"
	WouldDelete      Code = "would-delete"
	Compared         Code = "compared"
	ProofLeftOut     Code = "proof-left-out"
	OperatorAtRisk   Code = "operator-at-risk"
	SelectorChanges  Code = "selector-changes"
	PatchedByRoot    Code = "patched-by-root"
	Suspended        Code = "suspended"
	FixedRevision    Code = "fixed-revision"
	RootWaits        Code = "root-waits"
	ReadyTooEarly    Code = "ready-too-early"

	// Config and input.
	ClusterNotFound          Code = "cluster-not-found"
	AlreadyMigrated          Code = "already-migrated"
	ClustersWithoutError     Code = "clusters-without-error"
	InvalidName              Code = "invalid-name"
	ItemsWithoutPaths        Code = "items-without-paths"
	PathOutside              Code = "path-outside"
	InvalidInput             Code = "invalid-input"
	LimitExceeded            Code = "limit-exceeded"
	FileNotRead              Code = "file-not-read"
	IgnoredByKrmignore       Code = "ignored-by-krmignore"
	ArtifactFolder           Code = "artifact-folder"
	RequiredObject           Code = "required-object"
	LookAtCluster            Code = "look-at-cluster"
	SnapshotTaken            Code = "snapshot-taken"
	SnapshotOfAnotherCluster Code = "snapshot-of-another-cluster"
	PullRequestReport        Code = "report"

	// A snapshot of a cluster beside Git.
	SnapshotIncomplete Code = "snapshot-incomplete"
	NotOnCluster       Code = "not-on-cluster"
	NotOwned           Code = "not-owned"
	NotReady           Code = "not-ready"
	InstanceNotReady   Code = "instance-not-ready"
	ClusterDiffers     Code = "cluster-differs"
	ReleaseDiffers     Code = "release-differs"
	SuspendedOnCluster Code = "suspended-on-cluster"
	GuardNotLive       Code = "guard-not-live"
	LostInTakeOver     Code = "lost-in-take-over"
	NotInGit           Code = "not-in-git"
	SecondRoot         Code = "second-root"
	PairNotGenerated   Code = "pair-not-generated"
	NeededMissing      Code = "needed-missing"

	// The steps.
	PushAndWait         Code = "push-and-wait"
	CheckTakeOver       Code = "check-take-over"
	CleanupSeparately   Code = "cleanup-separately"
	CheckNothingDeleted Code = "check-nothing-deleted"
	GoBack              Code = "rollback"

	// The bootstrap of a cluster.
	BootstrapByCommand Code = "bootstrap-by-command"
	RebuildCluster     Code = "rebuild-cluster"
	BootstrapFileKept  Code = "bootstrap-file-kept"
	BootstrapValues    Code = "bootstrap-values"
	BootstrapSyncPair  Code = "bootstrap-sync-pair"
	TerraformModule    Code = "terraform-module"
	HelmfileNotEdited  Code = "helmfile-not-edited"
	HelmfileRelease    Code = "helmfile-release"
	HelmfileDiffers    Code = "helmfile-differs"
)

// Entry is what is told of a code.
func (c Code) Entry() (Entry, bool) {
	for _, group := range Table {
		for _, entry := range group.Entries {
			if entry.Code == c {
				return entry, true
			}
		}
	}
	return Entry{}, false
}

// Summary says in at most 15 words what the findings of a code have in common.
func (c Code) Summary() string {
	entry, _ := c.Entry()
	return entry.Summary
}

// String is what is told of a code, in Markdown that can be read as it is.
func (e Entry) String() string {
	severities := make([]string, len(e.Severities))
	for i, severity := range e.Severities {
		severities[i] = string(severity)
	}
	return fmt.Sprintf("**%s**: %s.\n\n%s\n\n- why: %s\n- what to do: %s\n", strings.Join(severities, ", "), e.Summary,
		e.Means, e.Why, e.Do)
}
