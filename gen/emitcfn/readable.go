package emitcfn

import (
	"strconv"

	"github.com/mlmax/mlmax/gen/ir"
	"github.com/mlmax/mlmax/pipeline/asl"
)

// Places outside of the environment's prefix are two parameters each, bucket and
// prefix: policies need them apart, and CloudFormation has nothing that cuts a text
// behind its bucket. There are as many as the environment with the most of them has;
// the rest are empty.

func readableBucket(i int) string { return "ReadableBucket" + strconv.Itoa(i+1) }
func readablePrefix(i int) string { return "ReadablePrefix" + strconv.Itoa(i+1) }

// hasReadable is the condition under which there is such a place; the statements of
// the plan name it.
func hasReadable(i int) string { return "HasReadable" + strconv.Itoa(i+1) }

func readableParameters(p *ir.Plan) []parameter {
	var list []parameter
	for i := range p.Readable() {
		list = append(list,
			parameter{readableBucket(i), "A bucket besides the environment's from which runs may take data, or empty", "^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", 63, optional("")},
			parameter{readablePrefix(i), "What the keys of such data begin with; empty, or ends in a slash", "^$|^([A-Za-z0-9._,@+=-]+/)+$", 128, optional("")})
	}
	return list
}

func readableConditions(p *ir.Plan) asl.Object {
	var all asl.Object
	for i := range p.Readable() {
		all = append(all, asl.Member{Key: hasReadable(i), Value: given(readableBucket(i))})
	}
	return all
}

// readable is what the machine is told of these places: their URIs with a comma before
// each. It drops what is empty.
func readable(p *ir.Plan) asl.Object {
	var all []any
	for i := range p.Readable() {
		all = append(all, either(hasReadable(i), object("Fn::Sub", ",s3://${"+readableBucket(i)+"}/${"+readablePrefix(i)+"}"), ""))
	}
	return object("Fn::Join", []any{"", all})
}
