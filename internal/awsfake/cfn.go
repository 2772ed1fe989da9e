package awsfake

// A stack is a stack of CloudFormation.
type stack struct {
	id, name string
}
