package emitasl

import (
	"testing"

	"github.com/mlmax/mlmax/gen/limits"
)

// TestLimits holds the limits here to those of the service's model.
func TestLimits(t *testing.T) {
	t.Parallel()
	for shape, typed := range map[string]int{
		"ContainerArgument":          maxArgument,
		"ProcessingEnvironmentValue": maxProcessingEnv,
		"TrainingEnvironmentValue":   maxTrainingEnv,
		"HyperParameterValue":        maxHyperparameter,
		"CustomerMetadataMap":        maxMetadata,
		"CustomerMetadataValue":      256, // in the expression of fits
		"ClientToken":                36,  // in modelPackage
	} {
		if most := limits.Of(shape).Max; most == nil || int(*most) != typed {
			t.Errorf("%s: %d here, %v in the model", shape, typed, most)
		}
	}
}
