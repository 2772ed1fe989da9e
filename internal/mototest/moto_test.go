package mototest_test

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mlmax/mlmax/internal/mototest"
)

// TestStart starts moto, asks it something, and sees that it is gone when it was stopped.
func TestStart(t *testing.T) {
	t.Parallel()
	s, err := mototest.Start(t.Context(), "../..")
	if errors.Is(err, mototest.ErrMissing) {
		if os.Getenv("MLMAX_NEED_AWSCLI") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := sts.NewFromConfig(aws.Config{Region: "eu-west-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("A", "s", "")})
	who, err := c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Account != "123456789012" {
		t.Errorf("%+v, %v", who, err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.Get(s.URL); err == nil {
		answer.Body.Close()
		t.Error("it still answers")
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	if _, err := mototest.Start(t.Context(), t.TempDir()); !errors.Is(err, mototest.ErrMissing) {
		t.Error(err)
	}
}
