// Package storytest tells one story, from the first plan to the deletion of the data, through
// the commands as people build them, in an account that is a parameter: this project's own
// (internal/awsfake) with every policy enforced, moto for what moto has, and, behind the build
// tag live, a real one. What each of them proves is said in docs/aws.md.
package storytest
