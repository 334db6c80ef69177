package finding

// Code names a kind of finding in a word or two, so that people can look it up and programs can tell it.
type Code string

// The codes.
const (
	// Incomplete is a Flux Kustomization of which a part is in no file.
	Incomplete Code = "incomplete"
)

// Summaries say in at most 15 words what the findings of a code have in common.
var Summaries = map[Code]string{
	Incomplete: "what these apply is in part in no file here, and was not judged",
}
