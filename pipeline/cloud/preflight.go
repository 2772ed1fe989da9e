package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Preflight looks, in one call, whether what is to be uploaded has a place to go: the
// bucket exists, belongs to the account, and lies in the Region. Nothing is written. What
// is wrong is said with the next command.
func (p *Place) Preflight(ctx context.Context) error {
	if p.Bucket == "" {
		return fmt.Errorf("environment %s names no bucket; nothing was written\n\thint: put Bucket into the environment, or say --bucket", p.Environment)
	}
	found, err := S3(p).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &p.Bucket, ExpectedBucketOwner: p.owner()})
	doing := "looking at bucket " + p.Bucket + " before anything is written"
	if err != nil {
		if said := p.behindHead(ctx, err); said != nil {
			return p.Explain(said, doing)
		}
		if fact, hint := p.headWords(err); fact != "" {
			return &explained{sentence(doing+": "+fact, hint), err}
		}
		return p.Explain(err, doing)
	}
	if region := aws.ToString(found.BucketRegion); region != "" && region != p.Region {
		fact, hint := p.elsewhere(region)
		return errors.New(sentence(doing+": "+fact, hint))
	}
	return nil
}

// owner is whose a bucket has to be, for every call to S3.
func (p *Place) owner() *string { return aws.String(p.Account) }

// behindHead asks the bucket once more in a way whose answer has a text, where a HEAD was
// refused without one: credentials may have expired, or a permission be missing. It is nil if
// the answer says no more.
func (p *Place) behindHead(ctx context.Context, err error) error {
	if s := statusOf(err); s != http.StatusBadRequest && s != http.StatusForbidden {
		return nil
	}
	_, said := S3(p).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &p.Bucket, MaxKeys: aws.Int32(1), ExpectedBucketOwner: p.owner()})
	_, named := ParseDenial(messageOf(said))
	if said == nil || IsDenied(said) && !named || codeOf(said) == "PermanentRedirect" {
		return nil
	}
	return said
}

// headWords are fact and hint of an answer to a HEAD of the bucket, which has no text;
// empty where the answer is none of the bucket's.
func (p *Place) headWords(err error) (fact, hint string) {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) {
		return "", ""
	}
	switch answer.HTTPStatusCode() {
	case http.StatusNotFound:
		return p.noBucket()
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
		if answer.Response != nil {
			if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); region != "" && region != p.Region {
				return p.elsewhere(region)
			}
		}
		return fmt.Sprintf("S3 refused, and does not say why (%d)", answer.HTTPStatusCode()), "run the same command again; else see what it says to " + p.aws("s3 ls s3://"+p.Bucket)
	case http.StatusForbidden:
		return fmt.Sprintf("it is not account %s's, or %s may not see it", p.Account, p.Caller),
			"name a bucket of that account with --bucket, or let that identity do s3:ListBucket on arn:" + p.Partition + ":s3:::" + p.Bucket
	}
	return "", ""
}

// noBucket says that the bucket does not exist.
func (p *Place) noBucket() (fact, hint string) {
	return "bucket " + p.Bucket + " does not exist", "make it: " + p.aws("s3 mb s3://"+p.Bucket+" --region "+p.Region) + ", or name another with --bucket"
}

// elsewhere says that the bucket is in another Region.
func (p *Place) elsewhere(region string) (fact, hint string) {
	return fmt.Sprintf("bucket %s is in %s, and the environment in %s: jobs take code and data from their own Region only", p.Bucket, region, p.Region),
		fmt.Sprintf("name a bucket in %s with --bucket, or deploy to %s", p.Region, region)
}

// buckets are what S3 says of the bucket when it is asked for something in it.
func buckets(p *Place, err error) (fact, hint string, ok bool) {
	switch codeOf(err) {
	case "NoSuchBucket":
		fact, hint = p.noBucket()
		return fact, hint, true
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return "bucket " + p.Bucket + " is not in " + p.Region, "see where it is: " + p.aws("s3api get-bucket-location --bucket "+p.Bucket), true
	}
	return "", "", false
}
