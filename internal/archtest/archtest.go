// Package archtest holds the tests of the module's shape: who may import whom,
// what a program that uses a part of Wigwag has to compile, and the rules of
// the house that a compiler does not know (CONTRIBUTING.md). It exports
// nothing.
package archtest
