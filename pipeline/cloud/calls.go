package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// What follows are calls of clients as functions, for the SDK's paginators and for whatever
// else takes an interface. html/template looks methods up by name, so the linker keeps every
// exported method of a type that is behind an interface, and of the types in the signatures
// of those methods. A client that gets there brings all its operations into the program:
// with clients as methods of Place, and in interfaces, a generated main was 8 MB larger.

// ListObjectsV2 is that operation.
type ListObjectsV2 func(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)

// ListObjectsV2 calls it.
func (f ListObjectsV2) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, o ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return f(ctx, in, o...)
}

// ListChangeSets is that operation.
type ListChangeSets func(context.Context, *cloudformation.ListChangeSetsInput, ...func(*cloudformation.Options)) (*cloudformation.ListChangeSetsOutput, error)

// ListChangeSets calls it.
func (f ListChangeSets) ListChangeSets(ctx context.Context, in *cloudformation.ListChangeSetsInput, o ...func(*cloudformation.Options)) (*cloudformation.ListChangeSetsOutput, error) {
	return f(ctx, in, o...)
}

// ListStackResources is that operation.
type ListStackResources func(context.Context, *cloudformation.ListStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error)

// ListStackResources calls it.
func (f ListStackResources) ListStackResources(ctx context.Context, in *cloudformation.ListStackResourcesInput, o ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	return f(ctx, in, o...)
}

// DescribeLogGroups is that operation.
type DescribeLogGroups func(context.Context, *cloudwatchlogs.DescribeLogGroupsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeLogGroupsOutput, error)

// DescribeLogGroups calls it.
func (f DescribeLogGroups) DescribeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput, o ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	return f(ctx, in, o...)
}

// ListExecutions is that operation.
type ListExecutions func(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)

// ListExecutions calls it.
func (f ListExecutions) ListExecutions(ctx context.Context, in *sfn.ListExecutionsInput, o ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	return f(ctx, in, o...)
}

// GetExecutionHistory is that operation.
type GetExecutionHistory func(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)

// GetExecutionHistory calls it.
func (f GetExecutionHistory) GetExecutionHistory(ctx context.Context, in *sfn.GetExecutionHistoryInput, o ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	return f(ctx, in, o...)
}
