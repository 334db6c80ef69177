package finding

// Entry is what is told of a code.
type Entry struct {
	Code Code
	// Severities are those that its findings have, the worst first.
	Severities []Severity
	// Summary says in at most 15 words what its findings have in common.
	Summary string
	// Means says what was found, Why why that matters, Do what to do.
	Means, Why, Do string
}

// Group is a part of the table.
type Group struct {
	Title   string
	Entries []Entry
}

// Table is what is told of each code. What a person is to do may delete no more than it says: where the order matters
// it refers to the message, which names the objects.
var Table = []Group{
	{"The install", []Entry{
		{
			Code: NoInstall, Severities: []Severity{Error},
			Summary: "no classic Flux install was found in the input",
			Means: "No file that was read installs Flux in one of the layouts that are known, and no " +
				"FluxInstance is there either.",
			Why: "There is nothing to migrate, or the part of the repository that installs Flux was not read.",
			Do: "Run on the whole repository. Where Flux is installed in a layout that the README does not " +
				"name, it cannot be migrated by this program.",
		},
		{
			Code: InstallNotApplied, Severities: []Severity{Warning},
			Summary: "an install is left alone, because no Flux Kustomization applies it",
			Means:   "Manifests of Flux are in the repository, and no Flux Kustomization leads to them.",
			Why: "They install Flux on no cluster that Git describes, so they are taken for a copy and " +
				"nothing is done to them.",
			Do: "Nothing where they are a copy or a template. Where a cluster runs them, run on the " +
				"repository that has its sync pair.",
		},
		{
			Code: NoSyncPair, Severities: []Severity{Error},
			Summary: "the source and the root Kustomization of the cluster were not found",
			Means: "An install was found, and no Flux Kustomization with a source in the input has a path " +
				"that applies it.",
			Why: "Flux Operator takes over the pair that syncs the cluster. Without it the cluster would " +
				"stop being synced, or be synced twice.",
			Do: "Run on the whole repository. Where no file defines the pair, export it from the cluster " +
				"with the commands of the message, and add the files.",
		},
		{
			Code: SyncPairFromHelm, Severities: []Severity{Error},
			Summary: "a HelmRelease of the chart flux2-sync owns the sync pair",
			Means:   "Helm made the source and the root Kustomization of the cluster.",
			Why: "Helm deletes the root when its release goes, and the root deletes everything that it " +
				"applied.",
			Do: "Follow the message: the pair goes into a file that the root applies, then Helm forgets the " +
				"release without uninstalling it.",
		},
		{
			Code: TwoRoots, Severities: []Severity{Error},
			Summary: "two root Kustomizations apply the same install",
			Means: "Two Flux Kustomizations that nothing in Git applies lead to the same files, and no file " +
				"tells which of them runs.",
			Why: "Flux Operator takes over one root. The other would go on to apply, and to prune, the same " +
				"objects.",
			Do: "Name the root that runs in the config field clusters. The other one can leave Git as the " +
				"message says, once it no longer prunes.",
		},
		{
			Code: TwoInstalls, Severities: []Severity{Error},
			Summary: "one root Kustomization applies two classic installs",
			Means: "Two sets of Flux manifests are applied to one cluster, or one of them is a copy that the " +
				"root applies as well.",
			Why: "Which of them runs cannot be told, and when the wrong one goes Flux prunes itself.",
			Do: "Guard the one that does not run, as the message says, and wait until the guard is live " +
				"before it leaves Git.",
		},
		{
			Code: TwoOwners, Severities: []Severity{Error, Warning},
			Summary: "two Flux Kustomizations apply the same objects",
			Means:   "What one of them applies is in the inventory of the other as well.",
			Why: "A guard on one leaves the other free to prune. As a Warning it was so before this commit, " +
				"and stays so.",
			Do: "Keep one of the two. The other one must no longer prune, live on the cluster, before it " +
				"goes; the message says how.",
		},
		{
			Code: AzureExtension, Severities: []Severity{Error, Warning},
			Summary: "Azure's extension microsoft.flux installs Flux from these files",
			Means:   "A Terraform, Bicep or ARM file runs Flux as an extension of the cluster.",
			Why: "The extension installs and upgrades Flux by itself, and would fight Flux Operator over the " +
				"same objects.",
			Do: "Such a cluster cannot be migrated by this program. As a Warning, see that the file is for " +
				"another cluster.",
		},
		{
			Code: EmptyManifests, Severities: []Severity{Error},
			Summary: "the file of Flux's manifests holds no objects",
			Means:   "A gotk-components.yaml is prepared for flux bootstrap and has nothing but comments.",
			Why:     "The version and the components that run cannot be read from it.",
			Do: "Run on the branch that flux bootstrap pushed to, or say the version in the config field " +
				"instance.version.",
		},
		{
			Code: NotListed, Severities: []Severity{Error},
			Summary: "a kustomization.yaml does not list Flux's manifests as Flux installs them",
			Means: "It lists other files than the one that is named, or the file of another folder and not " +
				"the folder.",
			Why: "What is not listed has no effect, and the guard that deploy writes there would never reach " +
				"the cluster.",
			Do: "List what the message names where Flux is meant to apply it. A file that nothing lists has " +
				"no effect.",
		},
		{
			Code: NoKustomizationFile, Severities: []Severity{Error},
			Summary: "Flux's manifests are listed from another folder, without a kustomization.yaml of their " +
				"own",
			Means: "A kustomization.yaml above lists the file itself, and no kustomization.yaml is beside it.",
			Why:   "Deploy writes the guard against pruning into the kustomization.yaml beside the manifests.",
			Do: "Add the kustomization.yaml that the message describes, and list its folder in the place of " +
				"the file.",
		},
		{
			Code: NotFollowed, Severities: []Severity{Error},
			Summary: "what shapes the install or its sync pair cannot be followed to the cluster",
			Means: "A patch, a component or a field of a kustomization.yaml or a Flux Kustomization does " +
				"something that cannot be computed from the input.",
			Why: "The FluxInstance has to say what runs, and what runs is not known then.",
			Do: "Do what the message says of that field or patch: mostly, write what it does as a patch, or " +
				"run on the whole repository.",
		},
		{
			Code: UnsupportedField, Severities: []Severity{Error},
			Summary: "a field shapes the install in a way that no FluxInstance can say",
			Means: "A field of a Flux Kustomization, of a HelmRelease or of the sync pair changes what is " +
				"installed, and nothing in a FluxInstance corresponds to it.",
			Why: "Flux Operator would run another Flux than the one that runs.",
			Do: "Follow the message, in its order. What a Flux Kustomization applies under another name is " +
				"pruned unless it no longer prunes first.",
		},
		{
			Code: VersionUnknown, Severities: []Severity{Error},
			Summary: "the version of Flux that runs cannot be read",
			Means:   "No tag, label or chart version tells one release, or at least one minor version, of Flux.",
			Why:     "A guess could downgrade Flux, which breaks the objects that the cluster has.",
			Do:      "Say the minor version that runs in the config field instance.version, such as 2.6.x.",
		},
		{
			Code: MixedVersions, Severities: []Severity{Warning},
			Summary: "the images and the labels are not those of one release",
			Means: "No release ships these image tags together, or the labels name another release than the " +
				"images.",
			Why: "The migration takes one version for what runs, and the message says which.",
			Do: "See that it is the version that runs. If it is not, say it in the config field " +
				"instance.version.",
		},
		{
			Code: CompareWithCluster, Severities: []Severity{Warning},
			Summary: "what runs is not all in the files, and was assumed",
			Means: "Flux was installed by hand, nothing applies its manifests since flux bootstrap did, they are " +
				"empty, or what flux install writes for the release is not known here.",
			Why: "Where that is wrong, Flux Operator changes Flux when it takes over.",
			Do: "Compare with what the command of the message prints, and correct the FluxInstance before " +
				"the commit reaches the cluster.",
		},
		{
			Code: Shard, Severities: []Severity{Error, Warning},
			Summary: "more controllers of Flux run than a FluxInstance installs",
			Means: "The manifests are listed a second time with changes that are not those of Flux's " +
				"sharding; as a Warning, a Deployment of yours runs a controller.",
			Why: "The FluxInstance does not upgrade these controllers, and those that are listed go with the " +
				"classic install.",
			Do: "Change what the message names, so that spec.sharding of the FluxInstance makes them. To " +
				"give up what is listed, see first with the command of the message what goes with it.",
		},
		{
			Code: InstallDoesNotBuild, Severities: []Severity{Error, Warning},
			Summary: "the classic install cannot be built as Flux builds it",
			Means: "Kustomize, or the manifests of the release, refuse the install with its patches, " +
				"components or shards, or the root of a cluster lists a file that is not there.",
			Why: "What the cluster runs cannot be compared with what Flux Operator would run.",
			Do:  "Correct what the message names. Flux itself cannot apply it as it is.",
		},
		{
			Code: PatchTarget, Severities: []Severity{Error},
			Summary: "the target of a patch cannot stay as it is",
			Means: "Kustomize refuses its selector, or the patch has none and finds its object of Flux by " +
				"the name in its own text.",
			Why: "Kustomize refuses a patch that finds nothing without a target, and with it all the rest " +
				"that is built; cleanup takes that object away.",
			Do: "Correct the target, or give the patch one with kind and name, which may find nothing.",
		},
		{
			Code: GeneratedName, Severities: []Severity{Error},
			Summary: "the install refers to a ConfigMap or Secret whose name changes with its content",
			Means:   "A generator of kustomize appends a hash to the name.",
			Why:     "A FluxInstance refers to it by one name, which would be wrong with the next change.",
			Do:      "Switch the hash off with options.disableNameSuffixHash for it first.",
		},
		{
			Code: NamePrefix, Severities: []Severity{Error},
			Summary: "a namePrefix or nameSuffix gives other names to what is applied",
			Means:   "It renames what Flux installs, or everything that the root applies.",
			Why: "Flux Operator installs Flux under Flux's own names, and the new Kustomizations refer to " +
				"each other by name.",
			Do: "Follow the message in its order: what has the other name is pruned as soon as the field " +
				"goes, unless nothing prunes it.",
		},
		{
			Code: NamespaceField, Severities: []Severity{Error},
			Summary: "a namespace field moves Flux, or what the root applies",
			Means: "A kustomization.yaml or the root puts what it applies into another namespace than the " +
				"files say.",
			Why: "Flux Operator and the FluxInstance would be put there as well, where no Flux runs.",
			Do: "Follow the message in its order. The objects keep their namespace once it is written into " +
				"them.",
		},
		{
			Code: ImagePinned, Severities: []Severity{Warning},
			Summary: "a patch keeps the image of a controller as it is",
			Means:   "The image differs from that of the release that Flux Operator installs.",
			Why:     "The patch pins it, so it does not follow when Flux is upgraded.",
			Do:      "Drop the patch when Flux is upgraded, to get the image of the release.",
		},
		{
			Code: DigestNotCarried, Severities: []Severity{Warning},
			Summary: "the digest of an image is not carried over",
			Means:   "The image of a controller is pinned by digest in the manifests.",
			Why:     "Flux Operator installs the image of the release by its tag.",
			Do:      "Where the digest is needed, name it under images in the kustomization.yaml of the install.",
		},
		{
			Code: PatchWithoutEffect, Severities: []Severity{Warning, Info},
			Summary: "a patch has no effect and is left out",
			Means: "It selects nothing that Flux installs, a patch above it replaces the list that it is in, " +
				"or Flux Operator does the same by itself.",
			Why: "The FluxInstance says what runs, and that is without it.",
			Do: "Nothing where that is fine; if that is a mistake, correct the target, and add it to the " +
				"patches of the FluxInstance.",
		},
		{
			Code: CRDPatch, Severities: []Severity{Warning},
			Summary: "a patch on a CRD is carried over, and its effect was not compared",
			Means:   "CRDs are not among what is compared before and after.",
			Why:     "Whether the CRD stays as it is shows on the cluster only.",
			Do:      "Look at the CRD after the take-over.",
		},
		{
			Code: CRDVersionNumber, Severities: []Severity{Error},
			Summary: "a patch counts versions of a CRD that this release has not",
			Means: "The path of the patch is /spec/versions/ and a number, and the CRD of the Flux to come " +
				"has fewer versions.",
			Why: "Kustomize refuses it, and Flux Operator would install nothing.",
			Do:  "Correct the number as the message says. The patch has no effect as it is.",
		},
		{
			Code: ChartObjects, Severities: []Severity{Warning},
			Summary: "the chart has objects that Flux Operator does not install",
			Means:   "A PodMonitor, an Ingress or extra objects come from the Helm release.",
			Why:     "They stay for as long as Helm has the release, and belong to nobody once Helm forgets it.",
			Do:      "Put them in Git on their own before Helm forgets the release.",
		},
		{
			Code: ChartDiffers, Severities: []Severity{Info},
			Summary: "Flux's own manifests differ from those of the chart",
			Means: "Flux Operator installs Flux's manifests, and the community's chart has its own. Its " +
				"labels are kept in part.",
			Why: "Pods are replaced once, with other defaults.",
			Do:  "Read what changes. Each can be kept by a patch of the FluxInstance.",
		},
		{
			Code: HelmOwnsRelease, Severities: []Severity{Error, Warning},
			Summary: "Helm owns the classic install until it forgets the release",
			Means:   "The HelmRelease of the chart stays after the take-over, and cleanup leaves it.",
			Why: "Helm uninstalls Flux when the release goes, and a new chart version or value makes Helm " +
				"and Flux Operator change the same objects in turn.",
			Do: "Leave the HelmRelease as it is until Helm has forgotten it. The phase cleanup prints the " +
				"commands, and their order.",
		},
	}},
	{"The plan", []Entry{
		{
			Code: RemoteCluster, Severities: []Severity{Error},
			Summary: "a Flux Kustomization applies Flux or the root to another cluster",
			Means:   "It has spec.kubeConfig.",
			Why:     "On that cluster nothing takes over what this one gives up.",
			Do:      "Give that cluster a root or manifests of its own first, as the message says.",
		},
		{
			Code: RootWithoutPath, Severities: []Severity{Info},
			Summary: "the root has no path, and spec.sync.path says the default",
			Means:   "A root without spec.path syncs ./.",
			Why:     "A FluxInstance has to say it.",
			Do:      "Nothing.",
		},
		{
			Code: RootMoves, Severities: []Severity{Info},
			Summary: "the root moves to another path with the take-over",
			Means:   "The config field sync.path asks for it, and the new path lists what the old one applies.",
			Why:     "A file that is new from then on has to be listed at the new path.",
			Do:      "See that people who add files know it.",
		},
		{
			Code: RootCannotMove, Severities: []Severity{Error},
			Summary: "the root cannot sync the path that is asked for",
			Means: "The config field sync.path names a path from which the root would not apply the same, or " +
				"which was not looked into.",
			Why: "A root prunes what its new path does not apply.",
			Do:  "Do what the message says, or leave the config field out.",
		},
		{
			Code: SyncPathDiffers, Severities: []Severity{Error},
			Summary: "the FluxInstance syncs another path than the root",
			Means: "spec.sync.path of the FluxInstance in Git is not the path of the root, and not that of " +
				"the config field sync.path.",
			Why: "A root with another path prunes what only the old one applies.",
			Do: "Where deploy moved the root, say the path in the config field sync.path; else correct the " +
				"FluxInstance, before the cluster has it.",
		},
		{
			Code: UnknownField, Severities: []Severity{Warning},
			Summary: "the sync pair has a field that is not known here",
			Means:   "A field of the source or the root is in no table of this program.",
			Why:     "A patch of the FluxInstance restates it as it is.",
			Do:      "See that the patch in the FluxInstance says what the field says.",
		},
		{
			Code: VariableSubstitution, Severities: []Severity{Error},
			Summary: "variables would be substituted otherwise than today",
			Means: "The install goes through postBuild of a Flux Kustomization, and the FluxInstance through " +
				"that of another.",
			Why: "The FluxInstance would have other values than the install.",
			Do:  "Write the values out first, or take the variable out where nothing substitutes it today.",
		},
		{
			Code: APIVersionNotServed, Severities: []Severity{Error},
			Summary: "Flux will not serve the API version of an object",
			Means: "The release that Flux Operator installs has dropped the version in which an object of " +
				"the repository is written.",
			Why: "Flux cannot apply the file after the take-over.",
			Do:  "Change apiVersion in the file first, as flux migrate does.",
		},
		{
			Code: NameTaken, Severities: []Severity{Error},
			Summary: "an object has the name of a new one",
			Means:   "The repository defines an object with the name that deploy would give to its own.",
			Why:     "One would replace the other on the cluster.",
			Do:      "Give the new one another name by the config field in the message.",
		},
		{
			Code: OutputDir, Severities: []Severity{Error},
			Summary: "the new files cannot go into this folder",
			Means: "No Flux Kustomization of the cluster applies the folder in the config field outputDir, or the one " +
				"that does would apply the new files otherwise than they are; or a file of yours is where deploy " +
				"would write.",
			Why: "Flux Operator would never be installed, or something of yours would no longer be applied.",
			Do:  "Name another folder in outputDir that Flux applies, or leave it out.",
		},
		{
			Code: HandEditRefused, Severities: []Severity{Error},
			Summary: "a change in the manifests can be made by no patch",
			Means: "Somebody changed the manifests of flux install, and neither a flag nor a patch makes the " +
				"same.",
			Why: "Flux Operator would take the change back.",
			Do: "Undo it in the manifests first. An object of your own goes into another file of the same " +
				"Flux Kustomization, in the same commit.",
		},
		{
			Code: HandEditKept, Severities: []Severity{Info},
			Summary: "a change in the manifests is kept by a patch of the FluxInstance",
			Means:   "The manifests differ from what flux install writes.",
			Why:     "With the patch Flux Operator keeps what runs.",
			Do:      "Look at the patch. Without it you have what the release has.",
		},
		{
			Code: VersionNotCarried, Severities: []Severity{Error},
			Summary: "Flux Operator does not carry the version of Flux",
			Means: "The version that runs, or that is asked for, is no release, or none of those that this " +
				"Flux Operator installs.",
			Why: "Flux Operator would refuse the FluxInstance.",
			Do: "Do what the message says: mostly an upgrade of Flux first, or another version in the config " +
				"field instance.version.",
		},
		{
			Code: Downgrade, Severities: []Severity{Error},
			Summary: "the FluxInstance means a lower Flux than the one that runs",
			Means: "spec.distribution.version, or the config field instance.version, is lower than the " +
				"install.",
			Why: "The CRDs of a lower release may not serve the objects that the cluster has.",
			Do:  "Name the version that runs, or a higher one.",
		},
		{
			Code: Upgrade, Severities: []Severity{Warning, Info},
			Summary: "Flux is upgraded with the take-over",
			Means: "The version that Flux Operator installs is higher than the one that runs: another minor " +
				"version as a Warning, a patch release as an Info.",
			Why: "Two changes at once are harder to judge, and to go back from.",
			Do: "Better migrate first, and upgrade in a later commit. For a patch release it is fine; exact " +
				"in the config field instance.version keeps the release.",
		},
		{
			Code: OperatorVersion, Severities: []Severity{Error, Warning},
			Summary: "the version of Flux Operator is too old, unknown or a range",
			Means: "The config field operator.version, or what already installs Flux Operator, names it. As " +
				"a Warning it is a range, of which one version is taken to run.",
			Why: "A version before 0.28.0 does not mark what it takes over, and the classic install could " +
				"delete it.",
			Do: "Use a version that the message names.",
		},
		{
			Code: NewerThanTables, Severities: []Severity{Error, Warning},
			Summary: "a release is newer than what this program knows",
			Means:   "Flux, Flux Operator or its chart came out after this program.",
			Why: "What it installs cannot be compared. With a newer Flux Operator the plan uses only fields " +
				"that the newest known version has.",
			Do: "Update this program.",
		},
		{
			Code: OperatorPresent, Severities: []Severity{Info},
			Summary: "Flux Operator is installed already",
			Means:   "Something in the repository installs it.",
			Why:     "It stays as it is, and only the FluxInstance is added.",
			Do:      "Nothing.",
		},
		{
			Code: OperatorPrerequisite, Severities: []Severity{Info},
			Summary: "Flux Operator must run before the commit reaches the cluster",
			Means:   "Nothing that deploy writes installs Flux Operator.",
			Why:     "Without it nothing reads the FluxInstance, and the new Kustomization cannot be applied.",
			Do:      "See that it runs in the namespace and version of the message.",
		},
		{
			Code: TerraformInstallsOperator, Severities: []Severity{Error},
			Summary: "Terraform installs Flux Operator",
			Means:   "A Terraform file has the chart flux-operator.",
			Why:     "A second Flux Operator would fight it.",
			Do: "Say external in the config field operator.install, and the version that runs in " +
				"operator.version.",
		},
		{
			Code: WrongNamespace, Severities: []Severity{Error},
			Summary: "the sync pair, Flux Operator or the FluxInstance is not where Flux runs",
			Means:   "Its namespace is not that of the install.",
			Why: "Flux Operator manages the FluxInstance of its own namespace, and writes the sync pair " +
				"there and nowhere else.",
			Do: "Follow the message, in its order: a root deletes all that it applied unless it no longer " +
				"prunes.",
		},
		{
			Code: InstanceRefused, Severities: []Severity{Error},
			Summary: "Flux Operator would refuse the FluxInstance",
			Means:   "The FluxInstance does not build as Flux Operator builds it.",
			Why:     "Nothing would take over.",
			Do:      "Correct the field that the message names, or what makes it so in the classic install.",
		},
		{
			Code: InstanceUnknown, Severities: []Severity{Error},
			Summary: "the FluxInstance that a HelmRelease renders cannot be read",
			Means:   "Its values are not all in the input.",
			Why:     "What Flux Operator would run is not known.",
			Do:      "Put the values into the HelmRelease, or run on the whole repository.",
		},
		{
			Code: NoHelmController, Severities: []Severity{Error},
			Summary: "no helm-controller runs that could install a HelmRelease",
			Means:   "The classic install is without helm-controller.",
			Why:     "The HelmRelease of Flux Operator or of the FluxInstance would never be installed.",
			Do:      "Do what the message says: install Flux Operator with Helm yourself, or write a FluxInstance.",
		},
		{
			Code: RendersDifferently, Severities: []Severity{Error},
			Summary: "Flux Operator would run something else than what runs",
			Means: "What the FluxInstance renders differs from the classic install, and no field or patch " +
				"makes it the same.",
			Why: "The take-over would change the running Flux.",
			Do: "Look at what makes the difference, and take what makes it so out of the classic install " +
				"first.",
		},
		{
			Code: ChartHasNoValue, Severities: []Severity{Error},
			Summary: "the chart flux-instance cannot render what this cluster needs",
			Means:   "A field of the FluxInstance has no value in the chart, or comes out otherwise.",
			Why:     "Helm ignores values that it does not know, so the field would be lost.",
			Do:      "Leave out the config field instance.form, which writes a FluxInstance.",
		},
		{
			Code: OperatorValues, Severities: []Severity{Info},
			Summary: "Flux Operator gets what all controllers have",
			Means:   "Node selector, tolerations, pull secrets and the like become values of its chart.",
			Why:     "It runs on the same nodes and pulls as they do.",
			Do:      "Nothing. The config field operator.values wins.",
		},
		{
			Code: OperatorMetrics, Severities: []Severity{Info},
			Summary: "the monitor of Flux does not scrape Flux Operator",
			Means:   "A PodMonitor or ServiceMonitor selects Flux's controllers only.",
			Why:     "Flux Operator has metrics of its own.",
			Do:      "Switch on serviceMonitor.create of its chart once it runs.",
		},
		{
			Code: OperatorHostNetwork, Severities: []Severity{Warning},
			Summary: "Flux Operator cannot share the host network with the controllers",
			Means:   "The controllers are on the host network and use its port.",
			Why:     "Flux Operator is therefore not on the host network.",
			Do:      "Where it needs it and finds a node of its own, say so in the config field operator.values.",
		},
		{
			Code: OperatorImage, Severities: []Severity{Warning},
			Summary: "the image of Flux Operator comes from another registry than Flux's",
			Means:   "The controllers come from a mirror.",
			Why:     "Nodes that can pull from the mirror only cannot start Flux Operator.",
			Do:      "Mirror the image, and name it in the config field operator.values.",
		},
		{
			Code: LabelsChange, Severities: []Severity{Info},
			Summary: "labels of Flux's objects change with the take-over",
			Means:   "Flux Operator has labels and annotations of its own, and leaves out some of Flux's.",
			Why:     "What selects by a label that goes finds nothing any more.",
			Do:      "Select by a label that stays, such as app.",
		},
		{
			Code: ChangedByOperator, Severities: []Severity{Info},
			Summary: "Flux Operator changes this by itself",
			Means: "It has labels, flags and cluster roles of its own, and writes the sync pair in the API " +
				"version that the release serves.",
			Why: "The pods of the controllers are replaced once, and reconciliation pauses while they start.",
			Do:  "Nothing, unless you need what goes.",
		},
	}},
	{"What is there, and cleanup", []Entry{
		{
			Code: NoInstance, Severities: []Severity{Error},
			Summary: "Git has no FluxInstance for this cluster",
			Means:   "Cleanup, or a bootstrap, is asked for, and deploy has not been run.",
			Why: "Where nothing has taken over, Flux and everything that it applied go with the classic " +
				"install.",
			Do: "Run the phase deploy first, and for cleanup wait for the take-over.",
		},
		{
			Code: InstanceDefinedTwice, Severities: []Severity{Error},
			Summary: "two files define one FluxInstance",
			Means:   "A FluxInstance and a HelmRelease, or two of one kind, have the same name and namespace.",
			Why:     "When either goes, Flux is uninstalled.",
			Do:      "Keep one owner. Follow the message in its order before the other one goes.",
		},
		{
			Code: InstanceNotApplied, Severities: []Severity{Warning},
			Summary: "no Flux Kustomization applies the FluxInstance",
			Means:   "The file is in no path that Flux applies.",
			Why:     "It is on the cluster only if something else applies it.",
			Do:      "See that the cluster has it before cleanup.",
		},
		{
			Code: FormDiffers, Severities: []Severity{Error},
			Summary: "the FluxInstance is there in another form than the config asks for",
			Means: "The config field instance.form says HelmRelease and Git has a FluxInstance, or the other " +
				"way round.",
			Why: "Two owners of one FluxInstance uninstall Flux when one goes.",
			Do:  "Leave the field out to finish the migration. The message says how to switch later.",
		},
		{
			Code: ComponentMissing, Severities: []Severity{Error},
			Summary: "the FluxInstance lacks a component that runs",
			Means:   "spec.components does not name a controller of the classic install.",
			Why:     "Flux Operator deletes its CRDs, and with them all their objects.",
			Do:      "Add the component.",
		},
		{
			Code: SyncRemoved, Severities: []Severity{Error},
			Summary: "spec.sync is gone from a FluxInstance that had it",
			Means:   "Other parts of the file show that Flux Operator generates the sync pair.",
			Why:     "Flux Operator deletes what it no longer generates, and the cluster syncs nothing any more.",
			Do: "Put spec.sync back as it was. The message says what else to apply where the source is gone " +
				"already.",
		},
		{
			Code: SecondSyncPair, Severities: []Severity{Error},
			Summary: "the FluxInstance does not generate the pair that syncs this cluster",
			Means:   "spec.sync gives other names, or another source, than the pair that runs.",
			Why: "Flux Operator adds a second pair beside it, and deletes a pair that it no longer generates " +
				"with all that the pair applied.",
			Do: "Follow the message, which tells apart whether the cluster has the FluxInstance already.",
		},
		{
			Code: NotRestated, Severities: []Severity{Warning},
			Summary: "the FluxInstance leaves out a field that runs",
			Means:   "A field of the sync pair or of the install is not in the FluxInstance.",
			Why:     "Flux Operator drops it from the cluster.",
			Do:      "Restate it by a patch, unless you mean it to go.",
		},
		{
			Code: SettingWithoutEffect, Severities: []Severity{Warning},
			Summary: "a setting has no effect",
			Means:   "A config field means nothing in this phase, or the chart has no such value.",
			Why:     "What it was meant to do is not done.",
			Do:      "Say it where it has an effect, or leave it out.",
		},
		{
			Code: HelmKeep, Severities: []Severity{Warning},
			Summary: "Helm would uninstall Flux with the HelmRelease of the FluxInstance",
			Means:   "The values have no commonAnnotations with helm.sh/resource-policy: keep.",
			Why: "When the HelmRelease goes, Helm deletes the FluxInstance, and Flux Operator then " +
				"uninstalls Flux.",
			Do: "Add the annotation.",
		},
		{
			Code: TakenOverNotSaid, Severities: []Severity{Error},
			Summary: "cleanup needs your word that the cluster has taken over",
			Means:   "The config field takenOver is not true, and no snapshot of the cluster was given.",
			Why:     "What Flux Operator has not taken over is deleted when the classic install leaves Git.",
			Do: "Look with the commands of the message. Where every row shows it, say takenOver: true; or " +
				"let verify look at a snapshot.",
		},
		{
			Code: ClusterNotReady, Severities: []Severity{Error},
			Summary: "the cluster is not ready for cleanup",
			Means: "The snapshot of the cluster shows that it has not taken over, or that something is not " +
				"as it should be.",
			Why: "What Flux Operator has not taken over is deleted when the classic install leaves Git.",
			Do:  "Do what the message says, take a new snapshot, and run again.",
		},
		{
			Code: CleanupUnpublished, Severities: []Severity{Error},
			Summary: "cleanup is too early: deploy's commit is not where Flux reads it",
			Means: "A file that deploy wrote or edited is not committed, not pushed, or not in the branch " +
				"that Flux reads.",
			Why: "The guards hold only when they are live on the cluster. With both commits at once Flux " +
				"deletes everything that it applied.",
			Do: "Bring deploy's commit to the branch that Flux reads, wait until the cluster has taken over, " +
				"and run cleanup then. What counts is what was fetched: run git fetch; in a fork, add the repository " +
				"that Flux reads as a remote first.",
		},
		{
			Code: PushNotChecked, Severities: []Severity{Warning},
			Summary: "it was not checked that deploy's commit is pushed",
			Means:   "The folder is no Git checkout, or the branch that Flux reads is not known, or not fetched.",
			Why:     "Cleanup is safe only after deploy's commit has reached the cluster.",
			Do:      "See yourself that it has.",
		},
		{
			Code: CloneBehind, Severities: []Severity{Warning},
			Summary: "the clone is behind the branch that it follows",
			Means:   "The remote has commits that are not here.",
			Why:     "What was judged is not what will be on the cluster.",
			Do:      "Pull, and run again.",
		},
		{
			Code: GitUnreadable, Severities: []Severity{Error},
			Summary: "Git's state could not be read",
			Means:   "The index, a pack or a reference of the clone is broken, or of a kind that is not read.",
			Why:     "Nothing shows what is committed or pushed.",
			Do:      "Repair the clone, or make a new one, and run again.",
		},
		{
			Code: UncommittedChanges, Severities: []Severity{Warning},
			Summary: "the working tree has changes that are not committed",
			Means:   "Files that were read, or that the run edits, differ from HEAD.",
			Why:     "A commit of all of it brings more to the cluster than what was planned.",
			Do: "Commit your own changes first, or commit only what the run changes, with the command of the " +
				"message.",
		},
		{
			Code: IgnoredByGit, Severities: []Severity{Error},
			Summary: "Git ignores a new file",
			Means:   "A .gitignore matches the path of a file that deploy writes.",
			Why:     "No commit would bring it to Flux.",
			Do: "Change the pattern, which git check-ignore -v names: /instance/ is about a folder at the top alone. " +
				"Where it is about the folder of the new files, set the config field outputDir to another.",
		},
		{
			Code: ApplyKilled, Severities: []Severity{Error, Warning},
			Summary: "an apply was killed before it was done",
			Means:   "It left a folder behind, and as an Error also files that are changed in part.",
			Why:     "Such files are neither as they were nor as they are to be.",
			Do:      "Run apply again, which puts them back first.",
		},
		{
			Code: GuardMissing, Severities: []Severity{Error},
			Summary: "a guard of deploy is not in Git",
			Means:   "An object that cleanup removes can be pruned as Flux applies it.",
			Why:     "Without the guard Flux deletes it when it leaves Git, and everything that depends on it.",
			Do: "Run the phase deploy, and wait until its guards are live. Where something undoes a guard, " +
				"change that first.",
		},
		{
			Code: GuardUndone, Severities: []Severity{Error},
			Summary: "something undoes the guard that deploy writes",
			Means: "A patch or a field on the way to the cluster takes the annotation or deletionPolicy away " +
				"again.",
			Why: "An early cleanup deletes what the guard is for.",
			Do:  "Take out what the message names first.",
		},
		{
			Code: SecondDefinition, Severities: []Severity{Warning},
			Summary: "an object of the install is defined a second time, without a guard",
			Means:   "Another file defines it, and another Flux Kustomization applies that.",
			Why: "Each takes it from the other, and where the unguarded definition goes Flux deletes the " +
				"object.",
			Do: "Guard the other definition too, and wait until that is live, before either goes.",
		},
		{
			Code: GuardsElsewhere, Severities: []Severity{Warning},
			Summary: "a cluster that is not migrated gets the guards too",
			Means:   "It applies the same files.",
			Why:     "A guard deletes nothing, and nothing else changes there.",
			Do:      "Nothing.",
		},
		{
			Code: SharedManifests, Severities: []Severity{Error, Info},
			Summary: "another cluster applies these files too",
			Means:   "Files that the run changes or removes are applied by a cluster that is not part of it.",
			Why:     "That cluster would lose what nobody has taken over there.",
			Do:      "Migrate the clusters together, or give each cluster files of its own first.",
		},
		{
			Code: CannotBeEdited, Severities: []Severity{Error},
			Summary: "an edit that is needed cannot be made",
			Means:   "A file is written in a way in which the entry or field cannot be changed safely.",
			Why:     "Without the edit the migration is not whole, so nothing is written.",
			Do:      "Write that place in a plain way, or make the edit yourself, and run again.",
		},
		{
			Code: SOPSSigned, Severities: []Severity{Error},
			Summary: "an object that has to be edited is encrypted and signed by SOPS",
			Means:   "SOPS signs the whole object.",
			Why:     "Flux refuses one that was edited since.",
			Do:      "Decrypt it first, and encrypt it again after the run.",
		},
		{
			Code: DependsOnChanged, Severities: []Severity{Info},
			Summary: "what waited for the classic install waits for Flux Operator now",
			Means:   "An entry of spec.dependsOn is edited or left out.",
			Why:     "What waits for something that is gone never reconciles again.",
			Do:      "Nothing.",
		},
		{
			Code: ReferenceLeft, Severities: []Severity{Warning, Info},
			Summary: "something refers to what cleanup removes",
			Means:   "An Alert, a patch, a query, the template of a ResourceSet or an object of yours names it.",
			Why:     "It finds nothing any more. What waits for something that is gone never reconciles again.",
			Do:      "Name what the message says in its place, or see whether it still does what it is for.",
		},
		{
			Code: FileWithoutUse, Severities: []Severity{Info},
			Summary: "a file stays that has no use, or no entries, any more",
			Means: "A patch file whose patch is in the FluxInstance now, or a kustomization.yaml without " +
				"which Flux would apply a file that it does not list.",
			Why: "It is yours, and changes nothing.",
			Do:  "Nothing. The patch file can go.",
		},
		{
			Code: ReferenceBreaks, Severities: []Severity{Error},
			Summary: "something that Flux needs refers to what cleanup removes",
			Means:   "An object of Flux names it in a field that has to be found.",
			Why:     "It would stop working.",
			Do:      "Change the reference first.",
		},
		{
			Code: ImageAutomation, Severities: []Severity{Warning},
			Summary: "image automation of Flux's own version has no use any more",
			Means:   "An ImageRepository, ImagePolicy or ImageUpdateAutomation kept Flux up to date.",
			Why:     "Flux Operator installs the release that the FluxInstance says.",
			Do:      "It can go, as the message says: it scans or updates nothing that is used.",
		},
		{
			Code: NamedByTooling, Severities: []Severity{Warning, Info},
			Summary: "a workflow, script or tool names what cleanup removes",
			Means:   "A file that Flux does not read has the path or the name. deploy says it as an Info, before it goes.",
			Why:     "It fails, or installs the classic Flux again, the next time it runs.",
			Do:      "Change what it does with it.",
		},
		{
			Code: VersionsRaisedBy, Severities: []Severity{Info},
			Summary: "who raises the versions of Flux Operator and of Flux from now on",
			Means:   "The versions stand in new files, which another manager of Renovate reads, or nobody.",
			Why:     "What raised Flux so far, as a workflow with flux install --export, does so no longer.",
			Do:      "See that Renovate reads the files by its file patterns, or raise the versions by hand.",
		},
		{
			Code: TerraformBootstrap, Severities: []Severity{Warning},
			Summary: "Terraform bootstraps Flux, and would write the classic install anew",
			Means:   "A Terraform file has a resource of the Flux provider.",
			Why:     "Its next apply writes the old files, and when the resource goes Terraform uninstalls Flux.",
			Do: "Let Terraform forget the resource, with the command of the message, before the commit " +
				"reaches the cluster.",
		},
		{
			Code: DeleteByHand, Severities: []Severity{Info},
			Summary: "some objects stay on the cluster until they are deleted by hand",
			Means:   "Flux Operator has them under other names, or what applied them does not prune.",
			Why:     "They have no effect, and nothing else removes them.",
			Do:      "Delete exactly these, with the command of the message, when the message says so.",
		},
		{
			Code: OneShotBootstrap, Severities: []Severity{Info},
			Summary: "the files that installed Flux once are gone",
			Means:   "Cleanup removes what a person applied by hand to build the cluster.",
			Why:     "It would install the classic Flux.",
			Do:      "Let the flag --bootstrap write what builds the cluster anew.",
		},
	}},
	{"What Flux applies", []Entry{
		{
			Code: FilesUnreadable, Severities: []Severity{Error, Warning},
			Summary: "what Flux applies cannot be read from the files",
			Means:   "The tree of files could not be opened.",
			Why:     "What would be pruned cannot be computed.",
			Do:      "Repair what the message names, and run again.",
		},
		{
			Code: RootDoesNotBuild, Severities: []Severity{Error, Warning},
			Summary: "Flux cannot build what the root applies",
			Means:   "A kustomization.yaml of the root names something that is not there or not valid.",
			Why:     "Nothing of this commit would be applied, and no file shows what would be pruned.",
			Do: "Repair it, and wait until it is applied. As a Warning it may be that the input is not all " +
				"of the repository.",
		},
		{
			Code: IgnoredBySource, Severities: []Severity{Error},
			Summary: "Flux does not read this file",
			Means:   ".sourceignore, or spec.ignore of the source, leaves it out.",
			Why:     "What is in it never reaches the cluster.",
			Do:      "Name a folder in outputDir that Flux reads, or run on the repository that has what runs.",
		},
		{
			Code: Incomplete, Severities: []Severity{Warning},
			Summary: "these could not be read in full: see that none defines Flux's own objects",
			Means: "A Flux Kustomization reads another source, a chart, a Secret or a variable that is in no " +
				"file, or has an object that cannot be placed.",
			Why: "The comparison says nothing of that part. The migration does not edit it either.",
			Do:  "See that the other sources do not define Flux's own objects.",
		},
		{
			Code: BesideInstall, Severities: []Severity{Warning},
			Summary: "a remote base installs a controller beside the classic install",
			Means: "A kustomization.yaml lists the folder of one controller in flux2's manifests, such as " +
				"bases/source-watcher, by its address.",
			Why: "Flux Operator neither owns nor upgrades it: it stays at the release that the address names, while " +
				"the other controllers are upgraded.",
			Do: "Leave it where it is, and raise the release in its address together with the FluxInstance.",
		},
		{
			Code: NotJudged, Severities: []Severity{Warning},
			Summary: "a change of one object could not be judged",
			Means:   "Its name depends on a value that is not in the repository.",
			Why:     "It may be pruned or not.",
			Do:      "Look at the object on the cluster.",
		},
		{
			Code: AppliesMore, Severities: []Severity{Error},
			Summary: "Flux would apply what it does not apply today",
			Means:   "A file that nothing applies comes into what a Flux Kustomization applies.",
			Why:     "It was left out on purpose, or is a copy.",
			Do:      "Name another folder in outputDir, or list the files of the folder in a kustomization.yaml.",
		},
		{
			Code: WouldBreak, Severities: []Severity{Error},
			Summary: "Flux could not apply something that it applies today",
			Means: "After the commit a Flux Kustomization does not build, shares an object with another, or " +
				"waits for what never gets ready.",
			Why: "It applies nothing any more, or fights the other one.",
			Do:  "Repair what the message names, and run again. Please report it where your files are fine.",
		},
		{
			Code: WouldDelete, Severities: []Severity{Error},
			Summary: "Flux would lose something that it applies today",
			Means:   "An object leaves what a Flux Kustomization applies, and nothing guards it.",
			Why:     "Flux prunes it from the cluster.",
			Do: "Nothing is written. Look at what applies the object today; please report it where your " +
				"files are fine.",
		},
		{
			Code: Compared, Severities: []Severity{Info},
			Summary: "what Flux applies before and after was compared",
			Means:   "Both were built as kustomize-controller builds them.",
			Why:     "It shows that nothing is pruned but what is named.",
			Do:      "Nothing.",
		},
		{
			Code: ProofLeftOut, Severities: []Severity{Warning},
			Summary: "it was not checked that Flux prunes nothing",
			Means:   "The check is switched off, or the items are not a whole repository.",
			Why:     "A loss would not be noticed.",
			Do:      "Run plan on the checkout, with the check on.",
		},
		{
			Code: OperatorAtRisk, Severities: []Severity{Warning},
			Summary: "what runs Flux Operator could be pruned, or is not updated",
			Means: "The FluxInstance or the HelmRelease of Flux Operator is pruned without a guard, forced, " +
				"frozen or suspended.",
			Why: "When the FluxInstance goes, Flux Operator uninstalls Flux.",
			Do:  "Do what the message says of that object.",
		},
		{
			Code: SelectorChanges, Severities: []Severity{Warning},
			Summary: "a selector finds other pods or objects after the take-over",
			Means:   "It selects by a label that Flux Operator changes.",
			Why:     "A NetworkPolicy, a monitor or a budget loses what it selects, or gains something.",
			Do:      "Select by a label that stays; the message names one.",
		},
		{
			Code: PatchedByRoot, Severities: []Severity{Info},
			Summary: "patches for all Flux Kustomizations change the new ones too",
			Means:   "The root patches whatever Flux Kustomization it applies.",
			Why:     "The new Kustomizations get these fields.",
			Do:      "See that you want that.",
		},
		{
			Code: Suspended, Severities: []Severity{Warning},
			Summary: "the root or its source is suspended",
			Means:   "It is suspended in Git, and stays so.",
			Why:     "Nothing of this commit reaches the cluster until it is resumed.",
			Do:      "Resume it when you mean this commit, and all others since, to reach the cluster.",
		},
		{
			Code: FixedRevision, Severities: []Severity{Warning},
			Summary: "the source fetches a fixed revision and no branch",
			Means:   "It follows a tag, a commit or a digest.",
			Why:     "A revision with both commits at once lets Flux prune everything.",
			Do:      "Give deploy and cleanup a revision each.",
		},
		{
			Code: RootWaits, Severities: []Severity{Warning},
			Summary: "the root waits for what it applies",
			Means:   "spec.wait is true.",
			Why:     "Later commits stall until the take-over is done.",
			Do:      "Expect it.",
		},
		{
			Code: ReadyTooEarly, Severities: []Severity{Warning},
			Summary: "the new Kustomization can be Ready before the take-over",
			Means:   "This Flux has no healthCheckExprs.",
			Why:     "Ready does not mean that Flux Operator has taken over.",
			Do:      "Go on only when verify says taken over.",
		},
	}},
	{"Config and input", []Entry{
		{
			Code: ClusterNotFound, Severities: []Severity{Error},
			Summary: "the config names a cluster that was not found",
			Means:   "No classic install syncs the path or root in the config field clusters.",
			Why:     "The run would do less than it was asked for.",
			Do:      "Use one of the names in the message.",
		},
		{
			Code: AlreadyMigrated, Severities: []Severity{Info},
			Summary: "no classic install is left",
			Means:   "A FluxInstance syncs the cluster, and nothing of the classic install is in Git.",
			Why:     "There is nothing to do.",
			Do:      "Nothing.",
		},
		{
			Code: ClustersWithoutError, Severities: []Severity{Info},
			Summary: "some clusters have no error and can go first",
			Means:   "An Error in one cluster holds back all of the run.",
			Why:     "Nothing is half written.",
			Do:      "Name the clusters of the message in the config field clusters.",
		},
		{
			Code: InvalidName, Severities: []Severity{Error},
			Summary: "a name or path is none that can be used in a command",
			Means: "It is no name that Kubernetes takes, or has control characters, or what a CI runner " +
				"takes for a command.",
			Why: "A command with it would not be what it seems.",
			Do:  "Give it another name.",
		},
		{
			Code: ItemsWithoutPaths, Severities: []Severity{Info},
			Summary: "the items do not say which files they come from",
			Means:   "The function runs on the output of a build, and not on files.",
			Why:     "No kustomization.yaml can be edited.",
			Do:      "List what is new yourself, as the message says.",
		},
		{
			Code: PathOutside, Severities: []Severity{Error},
			Summary: "the path of an item leads out of the repository",
			Means:   "Its path annotation is absolute, or goes up.",
			Why:     "What is written beside it would be outside too.",
			Do:      "Run the function on the root of the repository.",
		},
		{
			Code: InvalidInput, Severities: []Severity{Error},
			Summary: "the function config or an item of the input is not valid",
			Means: "A field of the config is unknown or has a value that it does not take, or an item is no " +
				"Kubernetes object.",
			Why: "What is not understood could change what is done.",
			Do:  "Correct what the message names. README lists all fields of the config.",
		},
		{
			Code: LimitExceeded, Severities: []Severity{Error},
			Summary: "the input takes more time or memory than is allowed",
			Means: "A file, or what it refers to, is made to be expanded without end, or the input is very " +
				"large.",
			Why: "A function that never ends blocks a pipeline.",
			Do:  "Look at what the message names.",
		},
		{
			Code: FileNotRead, Severities: []Severity{Error, Warning, Info},
			Summary: "a file was not read",
			Means:   "It is not YAML, is too large, is a link that leads out, or cannot be opened.",
			Why: "It is an Error where it decides what a cluster applies, and a Warning where it could hold " +
				"something of Flux.",
			Do: "Correct it where it is meant to be read.",
		},
		{
			Code: IgnoredByKrmignore, Severities: []Severity{Error, Warning},
			Summary: ".krmignore leaves out files that Flux reads",
			Means:   "Functions do not see these files, and Flux does.",
			Why:     "What they define was not judged.",
			Do:      "Take the entry out of .krmignore for the run where the files may hold something of Flux.",
		},
		{
			Code: ArtifactFolder, Severities: []Severity{Error, Warning},
			Summary: "the artifact that Flux reads may be filled from another folder",
			Means:   "A workflow pushes a subfolder, or no file says which folder is pushed.",
			Why:     "The paths of Flux begin in that folder.",
			Do:      "Run on that folder, with --subfolder.",
		},
		{
			Code: RequiredObject, Severities: []Severity{Info},
			Summary: "a Secret or ConfigMap must exist on the cluster",
			Means:   "The sync pair refers to it.",
			Why:     "Without it Flux cannot fetch or decrypt.",
			Do:      "See that it is there, or where the message says that Git defines it, nothing.",
		},
		{
			Code: LookAtCluster, Severities: []Severity{Info},
			Summary: "see what the cluster says before cleanup",
			Means:   "The commands take a snapshot, with names and states and no Secret's value, and verify it.",
			Why:     "Files cannot show whether the cluster has taken over.",
			Do:      "Run them.",
		},
		{
			Code: SnapshotTaken, Severities: []Severity{Info},
			Summary: "a snapshot of the cluster was used",
			Means:   "The file that --live names was taken at this time.",
			Why:     "The cluster may have changed since.",
			Do:      "Take a new one where it has.",
		},
		{
			Code: SnapshotOfAnotherCluster, Severities: []Severity{Error},
			Summary: "a snapshot is of no cluster of this run, or a cluster has none",
			Means:   "The root and the source in the file that --live names are not those in Git.",
			Why:     "It says nothing of the cluster that cleanup changes.",
			Do:      "Give the snapshot of that cluster, or name the cluster with --cluster.",
		},
		{
			Code: PullRequestReport, Severities: []Severity{Info},
			Summary: "the report for the pull request",
			Means:   "The config field report is on.",
			Why:     "It says the same as plan, in Markdown.",
			Do:      "Nothing.",
		},
	}},
	{"A snapshot of a cluster beside Git", []Entry{
		{
			Code: SnapshotIncomplete, Severities: []Severity{Error},
			Summary: "the snapshot of the cluster cannot be relied on",
			Means:   "It is old, or kubectl could not list all that is looked at.",
			Why:     "What is not in the file is not known.",
			Do:      "Take a new one with verify --script, and see what kubectl says.",
		},
		{
			Code: NotOnCluster, Severities: []Severity{Error},
			Summary: "an object that is needed is not on the cluster, or goes",
			Means:   "Git has it, or the take-over needs it, and the snapshot has not, or it is being deleted.",
			Why:     "Without it nothing is taken over, or nothing is synced.",
			Do:      "Wait until what is pushed is applied, and take a new snapshot, of the right cluster.",
		},
		{
			Code: NotOwned, Severities: []Severity{Error},
			Summary: "Flux Operator does not own what the classic install applied",
			Means:   "An object lacks the labels of the FluxInstance, or has those of a Flux Kustomization besides.",
			Why:     "Flux prunes it when the classic install goes.",
			Do:      "Wait until the FluxInstance is Ready, and look at its events.",
		},
		{
			Code: NotReady, Severities: []Severity{Error, Warning},
			Summary: "a controller, the source or the root is not ready",
			Means:   "What is pushed may not be fetched or applied.",
			Why:     "The next step would not arrive, or in part.",
			Do:      "Repair what the message says, and take a new snapshot.",
		},
		{
			Code: InstanceNotReady, Severities: []Severity{Error},
			Summary: "the FluxInstance is not reconciled as it is",
			Means: "It is not Ready at its generation, has not applied the Flux that Git asks for, " +
				"or is to be left alone.",
			Why: "Flux Operator has not taken over.",
			Do:  "Look at its status and events, wait, and take a new snapshot.",
		},
		{
			Code: ClusterDiffers, Severities: []Severity{Error, Warning},
			Summary: "an object on the cluster is not as Git has it",
			Means:   "A field differs: a commit or a patch has not arrived, or somebody edited it by hand.",
			Why:     "The migration goes by Git, and the difference would be lost or come back.",
			Do:      "Push and wait, or bring Git and the cluster together.",
		},
		{
			Code: ReleaseDiffers, Severities: []Severity{Error, Warning},
			Summary: "another Flux runs than Git says",
			Means:   "The images of the controllers are of another release, or of none that is known.",
			Why:     "Flux Operator would change the version in the take-over.",
			Do:      "Bring the two together before deploy.",
		},
		{
			Code: SuspendedOnCluster, Severities: []Severity{Error, Warning},
			Summary: "an object of Flux is suspended on the cluster",
			Means:   "Nothing of a commit reaches the cluster through it.",
			Why:     "The next step would not arrive, or all at once later.",
			Do:      "Resume it, once you know what has changed in Git since.",
		},
		{
			Code: GuardNotLive, Severities: []Severity{Error},
			Summary: "a guard against pruning is not live",
			Means:   "It is in Git, or should be, and the cluster does not have it.",
			Why:     "Cleanup is not safe without it.",
			Do:      "Wait until the commit of deploy is applied, and take a new snapshot.",
		},
		{
			Code: LostInTakeOver, Severities: []Severity{Error},
			Summary: "the take-over has dropped fields of the sync pair",
			Means:   "The FluxInstance does not restate what the classic install says of the source or the root.",
			Why:     "Decryption, variables or the like are missing from then on.",
			Do:      "Restate them by a patch of the FluxInstance.",
		},
		{
			Code: NotInGit, Severities: []Severity{Error, Warning},
			Summary: "an object of Flux on the cluster is in no file",
			Means:   "No file defines a FluxInstance or a Flux Kustomization that the cluster has.",
			Why:     "It goes on applying what nobody sees in Git.",
			Do:      "Pull, or bring its file back; else find out where it comes from.",
		},
		{
			Code: SecondRoot, Severities: []Severity{Error},
			Summary: "two roots apply the same path",
			Means:   "A Flux Kustomization beside the root has its path and source.",
			Why:     "The two take objects from each other.",
			Do:      "Find out where it comes from, and let one of them go without pruning.",
		},
		{
			Code: PairNotGenerated, Severities: []Severity{Error},
			Summary: "the FluxInstance in Git does not generate the pair of this cluster",
			Means:   "It generates a source or a root under other names.",
			Why:     "Flux Operator makes a second one, and deletes what it generates no longer.",
			Do:      "Do what the phase cleanup says of it.",
		},
		{
			Code: NeededMissing, Severities: []Severity{Error},
			Summary: "a Secret or ConfigMap that Flux needs is not on the cluster",
			Means:   "The sync pair refers to it.",
			Why:     "Nothing is fetched, decrypted or substituted without it.",
			Do:      "Create it before the next step.",
		},
	}},
	{"The steps", []Entry{
		{
			Code: PushAndWait, Severities: []Severity{Info},
			Summary: "publish the commit and wait until it is applied",
			Means:   "The commands wait until the cluster has what the commit says.",
			Why:     "The next step is safe only after that.",
			Do:      "Run the commands of the message, one after the other.",
		},
		{
			Code: CheckTakeOver, Severities: []Severity{Info},
			Summary: "see that Flux Operator owns everything",
			Means:   "The commands print what has the label of Flux Operator.",
			Why:     "What has not is deleted by cleanup.",
			Do:      "Run the command, and look at every row.",
		},
		{
			Code: CleanupSeparately, Severities: []Severity{Info},
			Summary: "cleanup comes later, in a commit of its own",
			Means:   "The phase cleanup removes the classic install from Git.",
			Why:     "Together with deploy it deletes everything that Flux applied.",
			Do:      "Run cleanup when the cluster has taken over.",
		},
		{
			Code: CheckNothingDeleted, Severities: []Severity{Info},
			Summary: "see that Flux has deleted nothing that Flux Operator owns",
			Means:   "The events of the root say skipped for the objects of Flux.",
			Why:     "It is the last look at whether the guards held.",
			Do:      "Run the command of the message.",
		},
		{
			Code: GoBack, Severities: []Severity{Info},
			Summary: "how to go back",
			Means:   "What to do, in this order, to have the classic install again.",
			Why:     "A FluxInstance that is simply deleted uninstalls Flux.",
			Do:      "Follow the message, in its order.",
		},
	}},
	{"The bootstrap of a cluster", []Entry{
		{
			Code: BootstrapByCommand, Severities: []Severity{Info},
			Summary: "the bootstrap files are written by the command and not by the function",
			Means:   "A KRM function writes Kubernetes objects only.",
			Why:     "Helmfile, scripts and Terraform are no such objects.",
			Do:      "Run apply on the checkout with --bootstrap.",
		},
		{
			Code: RebuildCluster, Severities: []Severity{Info},
			Summary: "how Flux comes back on a rebuilt cluster",
			Means:   "The command installs Flux Operator and the FluxInstance on an empty cluster.",
			Why:     "Where a classic install still runs it must not be used.",
			Do:      "Keep it for that day.",
		},
		{
			Code: BootstrapFileKept, Severities: []Severity{Warning},
			Summary: "a bootstrap file is there, and stays as it is",
			Means:   "It is not what this run would write.",
			Why:     "It may be yours, and may be out of date.",
			Do:      "Compare it, and let it be written anew where it is not yours.",
		},
		{
			Code: BootstrapValues, Severities: []Severity{Error},
			Summary: "what a bootstrap applies has values that are not known",
			Means: "An object has variables that Flux substitutes, or values come from a Secret or from a " +
				"ConfigMap that is not in the input.",
			Why: "A rebuilt cluster would start with other values, or with literal ${variables}.",
			Do:  "Write the values out first.",
		},
		{
			Code: BootstrapSyncPair, Severities: []Severity{Error},
			Summary: "a rebuilt cluster would not have its sync pair",
			Means:   "The FluxInstance generates none, and the pair is in no file that can be applied by itself.",
			Why:     "The cluster would start with Flux and sync nothing.",
			Do:      "Put the pair into a file of its own.",
		},
		{
			Code: TerraformModule, Severities: []Severity{Error},
			Summary: "the Terraform module of Flux Operator cannot do this",
			Means:   "It applies a FluxInstance that generates the sync pair, and here it is otherwise.",
			Why:     "A rebuilt cluster would not be what Git says.",
			Do:      "Use helmfile or shell in the config field bootstrap.",
		},
		{
			Code: HelmfileNotEdited, Severities: []Severity{Error},
			Summary: "the helmfile cannot be edited safely",
			Means: "Templates make its YAML, it has several releases of the chart, or a value would be a " +
				"template.",
			Why: "Templates of helmfile run programs, and a wrong entry could uninstall Flux.",
			Do:  "Do what the message says, or use shell in the config field bootstrap.",
		},
		{
			Code: HelmfileRelease, Severities: []Severity{Error, Warning},
			Summary: "a release in the helmfile would own Flux or the FluxInstance",
			Means: "It has the chart flux-instance while Flux applies the FluxInstance from a file, or the " +
				"chart flux2, which installs Flux without Flux Operator.",
			Why: "When such a release goes, Helm uninstalls Flux.",
			Do:  "Take its entry out of the file as the message says, which uninstalls nothing.",
		},
		{
			Code: HelmfileDiffers, Severities: []Severity{Warning, Info},
			Summary: "the helmfile and Git say different things of a release",
			Means: "Its version or values differ. As an Info they are brought up to what Git says, or would be with " +
				"the config field bootstrap.",
			Why: "A rebuilt cluster starts with one and changes to the other.",
			Do:  "Make the two the same where the message is a Warning.",
		},
	}},
}
