package cloud

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
)

// Codes by which services say that credentials have run out, and that they know none such.
var (
	expiredCodes = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "CredentialsExpired"}
	unknownCodes = []string{"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure", "InvalidToken"}
	skewCodes    = []string{"RequestTimeTooSkewed", "RequestInTheFuture", "RequestTimeTooSkewedException"}
)

// IsExpired says that an error comes from credentials or a login that have run out: who
// logs in anew and calls [Place.Reload] can go on where it was.
func IsExpired(err error) bool {
	var session *ssocreds.InvalidTokenError
	if errors.As(err, &session) || slices.Contains(expiredCodes, codeOf(err)) {
		return true
	}
	// The provider of aws login has no type for it, nor has that of SSO for a login that was
	// never made.
	return err != nil && codeOf(err) == "" && (strings.Contains(err.Error(), "please reauthenticate") || neverLogged(err))
}

// neverLogged says that a profile is for SSO, and nobody has logged in.
func neverLogged(err error) bool {
	return strings.Contains(err.Error(), "failed to read cached SSO token file")
}

// IsMissing says that there are no credentials at all.
func IsMissing(err error) bool {
	if err == nil || codeOf(err) != "" {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "no EC2 IMDS role found") || strings.Contains(text, "static credentials are empty")
}

// profile is the profile in use, as it is named to people: in parentheses, with a blank
// before it, or nothing.
func (p *Place) profile() string {
	if name := p.profileName(); name != "" {
		return " (profile " + name + ")"
	}
	return ""
}

// profileName is the profile that was asked for, here or by the environment.
func (p *Place) profileName() string {
	if p.Profile != "" {
		return p.Profile
	}
	return os.Getenv("AWS_PROFILE")
}

// aws is a command of the AWS CLI with the profile in use.
func (p *Place) aws(words string) string {
	words = "aws " + words
	if name := p.profileName(); name != "" {
		words += " --profile " + name
	}
	return words
}

// profiles are mistakes in naming a profile, or in what the files say of it.
func profiles(p *Place, err error) (fact, hint string, ok bool) {
	var missing config.SharedConfigProfileNotExistError
	var role config.SharedConfigAssumeRoleError
	var file config.SharedConfigLoadError
	var region *aws.MissingRegionError
	switch {
	case errors.As(err, &missing):
		return fmt.Sprintf("there is no profile %q in the AWS configuration", missing.Profile), "see which there are: aws configure list-profiles", true
	case errors.As(err, &role):
		return fmt.Sprintf("profile %q does not say how to assume %s", role.Profile, role.RoleARN), "give it source_profile or credential_source in ~/.aws/config", true
	case errors.As(err, &file):
		return "the AWS configuration cannot be read: " + file.Error(), "correct " + file.Filename, true
	case errors.As(err, &region):
		return noRegion, noRegionHint, true
	}
	return "", "", false
}

// The words for a Region that nothing names.
const (
	noRegion     = "no Region is known"
	noRegionHint = "put it into the environment, or say --region"
)

// logins are faults of who we are.
func logins(p *Place, err error) (fact, hint string, ok bool) {
	var mfa config.AssumeRoleTokenProviderNotSetError
	var signing *v4.SigningError
	switch {
	case errors.As(err, &mfa):
		return "the credentials" + p.profile() + " need an MFA code, which is not asked for here",
			`get a session first: eval "$(` + p.aws("configure export-credentials") + ` --format env)", then without --profile`, true
	case codeOf(err) == "" && neverLogged(err):
		return "nobody is logged in" + p.profile(), p.login(), true
	case IsExpired(err):
		return "AWS credentials expired" + p.expiredAt() + p.profile(), p.login(), true
	case slices.Contains(unknownCodes, codeOf(err)):
		return "AWS does not know these credentials" + p.profile() + ": they were deleted, or are of another partition, or the Region is not enabled in the account",
			"see whose they are: " + p.aws("sts get-caller-identity"), true
	case IsMissing(err):
		return "no AWS credentials were found" + p.profile(), "log in: " + p.aws("sso login") + ", or see " + p.aws("configure list"), true
	case errors.As(err, &signing):
		return "the credentials" + p.profile() + " cannot be had: " + signing.Err.Error(), "see what " + p.aws("sts get-caller-identity") + " says", true
	case codeOf(err) == "SignatureDoesNotMatch" && !strings.Contains(messageOf(err), "Signature expired"):
		return "the secret key" + p.profile() + " does not fit the access key", "set both anew: " + p.aws("configure"), true
	}
	return "", "", false
}

// expiredAt is since when the credentials are no longer good, if that is known.
func (p *Place) expiredAt() string {
	if p.expires.IsZero() || p.expires.After(p.Clock.Now()) {
		return ""
	}
	return " at " + p.expires.Local().Format("15:04")
}

// login is how a person gets new credentials of the kind that ran out.
func (p *Place) login() string {
	switch {
	case p.Profile == "" && os.Getenv("AWS_SESSION_TOKEN") != "":
		return "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, or unset them and say --profile"
	case p.source == "LoginProvider":
		return p.aws("login")
	}
	return p.aws("sso login")
}

// clocks are calls that were refused for the time that they were signed at.
func clocks(p *Place, err error) (fact, hint string, ok bool) {
	text := messageOf(err)
	if !slices.Contains(skewCodes, codeOf(err)) && !strings.Contains(text, "Signature expired") && !strings.Contains(text, "Signature not yet current") {
		return "", "", false
	}
	return "this machine's clock says " + p.Clock.Now().UTC().Format("2006-01-02 15:04:05") + " UTC, which is too far from AWS's",
		"set the clock, for example: sudo timedatectl set-ntp true", true
}
