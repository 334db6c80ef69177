// Package hostile has no code of its own: its tests run the real binary on input that means harm, and while things go
// wrong around it.
package hostile
