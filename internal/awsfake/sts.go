package awsfake

import (
	"fmt"
	"net/http"
)

// sts answers who the caller is.
func (w *World) sts(rw http.ResponseWriter, r *http.Request) {
	if action := form(r).Get("Action"); action != "GetCallerIdentity" {
		refuseQuery(rw, http.StatusBadRequest, "InvalidAction", "awsfake's STS does not know "+action)
		return
	}
	answerQuery(rw, "GetCallerIdentity", "https://sts.amazonaws.com/doc/2011-06-15/", fmt.Sprintf(
		"<Arn>%s</Arn><UserId>AIDAFAKE</UserId><Account>%s</Account>", w.Caller(), w.Account))
}

// Caller is the ARN of whoever calls with the credentials of [World.Env].
func (w *World) Caller() string { return "arn:" + w.Partition + ":iam::" + w.Account + ":user/ada" }
