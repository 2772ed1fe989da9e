package census

import "github.com/mlmax/mlmax"

// Dev is where the pipelines of this package are tried on AWS. The bucket is an
// example's: put your own here.
var Dev = mlmax.Environment{Name: "dev", Region: "eu-west-1", Bucket: "acme-ml-dev"}
