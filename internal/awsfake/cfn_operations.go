package awsfake

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// deploy brings a stack to a version: it makes the stack, or updates it. What a failure
// leads to is onFailure: ROLLBACK, DO_NOTHING or DELETE.
func (w *World) deploy(s *stack, next stackVersion, onFailure string, keep bool) {
	creating := s.status == "REVIEW_IN_PROGRESS" || len(s.body) == 0
	if !creating {
		s.before = &stackVersion{s.body, s.template, s.parameters, s.tags, s.capabilities}
		s.updated = w.now()
	}
	s.adopt(next)
	name := "UPDATE"
	if creating {
		name = "CREATE"
	}
	w.settle(s, name+"_IN_PROGRESS", "User Initiated")
	begin(s, func(step func()) {
		d := &deployment{w: w, s: s, step: step, keep: keep}
		step()
		r, err := w.resolver(s, s.template, s.parameters)
		failed := s.name
		if err == nil {
			failed, err = d.apply(r)
		}
		var outputs []stackOutput
		if err == nil {
			outputs, err = r.outputsOf()
		}
		switch {
		case err == nil:
			s.outputs = outputs
			d.succeed(creating)
		case creating:
			d.failCreate(failed, onFailure)
		default:
			d.failUpdate(failed, onFailure)
		}
	})
}

func (s *stack) adopt(v stackVersion) {
	s.body, s.template, s.parameters, s.tags, s.capabilities = v.body, v.template, v.parameters, v.tags, v.capabilities
	s.description = v.template.Description
}

// succeed cleans up and ends well.
func (d *deployment) succeed(creating bool) {
	if creating {
		d.w.settle(d.s, "CREATE_COMPLETE", "")
		return
	}
	d.w.settle(d.s, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
	d.step()
	d.cleanUp()
	d.w.settle(d.s, "UPDATE_COMPLETE", "")
}

// cleanUp deletes what an update left; what cannot be deleted stays, outside the stack.
func (d *deployment) cleanUp() {
	for _, r := range reverse(d.left) {
		policy := r.spec.DeletionPolicy
		if d.s.resources[r.logical] != r {
			policy = r.spec.UpdateReplacePolicy
		} else {
			delete(d.s.resources, r.logical)
		}
		_ = d.remove(r, policy) // its event tells
	}
}

// failCreate ends a creation that failed.
func (d *deployment) failCreate(failed, onFailure string) {
	reason := "The following resource(s) failed to create: " + list(failed) + ". "
	switch onFailure {
	case "DO_NOTHING":
		d.w.settle(d.s, "CREATE_FAILED", reason)
		return
	case "DELETE":
		d.w.settle(d.s, "DELETE_IN_PROGRESS", reason+"Delete requested by user.")
	default:
		d.w.settle(d.s, "ROLLBACK_IN_PROGRESS", reason+"Rollback requested by user.")
	}
	d.step()
	for _, r := range reverse(d.created) {
		policy := r.spec.DeletionPolicy
		if policy == "Retain" && d.keep || policy == "RetainExceptOnCreate" {
			policy = "Delete" // what the operation itself made goes
		}
		if err := d.remove(r, policy); err != nil {
			d.w.settle(d.s, "ROLLBACK_FAILED", "The following resource(s) failed to delete: "+list(r.logical)+". ")
			return
		}
		delete(d.s.resources, r.logical)
	}
	if onFailure == "DELETE" {
		d.w.settle(d.s, "DELETE_COMPLETE", "")
		d.s.deleted = d.w.now()
		return
	}
	d.w.settle(d.s, "ROLLBACK_COMPLETE", "")
}

// failUpdate goes back to what was before.
func (d *deployment) failUpdate(failed, onFailure string) {
	reason := "The following resource(s) failed to update: " + list(failed) + ". "
	if onFailure == "DO_NOTHING" {
		d.w.settle(d.s, "UPDATE_FAILED", reason)
		return
	}
	d.w.settle(d.s, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
	d.step()
	d.goBack(nil)
}

// goBack undoes an update; resources of skip are taken as they are.
func (d *deployment) goBack(skip []string) {
	for len(d.changed) > 0 {
		c := d.changed[len(d.changed)-1]
		if err := d.undo(c, skip); err != nil {
			d.note(c.after, "UPDATE_FAILED", said(err))
			d.w.settle(d.s, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: "+list(c.after.logical)+". ")
			d.s.rollback = d
			return
		}
		d.changed = d.changed[:len(d.changed)-1]
	}
	d.s.rollback = nil
	d.s.adopt(*d.s.before)
	d.w.settle(d.s, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
	d.step()
	for _, r := range reverse(d.created) {
		delete(d.s.resources, r.logical)
		policy := r.spec.DeletionPolicy
		if policy == "Retain" && d.keep {
			policy = "Delete"
		}
		_ = d.remove(r, policy)
	}
	d.w.settle(d.s, "UPDATE_ROLLBACK_COMPLETE", "")
}

// undo brings one resource back.
func (d *deployment) undo(c replaced, skip []string) error {
	d.note(c.after, "UPDATE_IN_PROGRESS", "")
	d.step()
	if !slices.Contains(skip, c.after.logical) {
		if err := d.w.takeFailure("rollback", c.after.logical); err != nil {
			return err
		}
		if c.before.physical != c.after.physical {
			d.left = slices.DeleteFunc(d.left, func(r *resource) bool { return r == c.before })
			d.created = append(d.created, c.after)
		} else if change := kinds[c.before.kind].change; change != nil {
			if err := change(d.w, c.before); err != nil {
				return err
			}
		}
	}
	d.s.resources[c.before.logical] = c.before
	d.note(c.before, "UPDATE_COMPLETE", "")
	d.step()
	return nil
}

func (w *World) createStack(q *query) (members, error) {
	name := q.get("StackName")
	if s := w.stackNamed(name); s != nil && s.status != "REVIEW_IN_PROGRESS" {
		return nil, &awsError{400, "AlreadyExistsException", "Stack [" + name + "] already exists"}
	}
	next, err := w.versionOf(q, nil)
	if err != nil {
		return nil, err
	}
	onFailure := q.get("OnFailure")
	if q.get("DisableRollback") == "true" {
		onFailure = "DO_NOTHING"
	}
	s := w.newStack(name)
	s.token, s.protected = q.get("ClientRequestToken"), q.get("EnableTerminationProtection") == "true"
	if r, err := w.resolver(s, next.template, next.parameters); err != nil {
		return nil, err
	} else if err := r.rules(); err != nil {
		return nil, err
	}
	w.deploy(s, *next, onFailure, q.get("RetainExceptOnCreate") == "true")
	return members{{"StackId", s.id}}, nil
}

func (w *World) updateStack(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	if err := s.updatable(); err != nil {
		return nil, err
	}
	next, err := w.versionOf(q, s)
	if err != nil {
		return nil, err
	}
	changes, err := w.compare(s, next)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, ineligible("No updates are to be performed.")
	}
	s.token = q.get("ClientRequestToken")
	onFailure := ""
	if q.get("DisableRollback") == "true" {
		onFailure = "DO_NOTHING"
	}
	w.deploy(s, *next, onFailure, q.get("RetainExceptOnCreate") == "true")
	return members{{"StackId", s.id}}, nil
}

// updatable says why a stack cannot be updated now.
func (s *stack) updatable() error {
	switch s.status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "UPDATE_FAILED":
		return nil
	}
	return ineligible("Stack:%s is in %s state and can not be updated.", s.id, s.status)
}

func (w *World) deleteStack(q *query) (members, error) {
	name, token, retain, mode := q.get("StackName"), q.get("ClientRequestToken"), q.list("RetainResources"), q.get("DeletionMode")
	s := w.stackNamed(name)
	if s == nil || s.status == "DELETE_COMPLETE" || s.status == "DELETE_IN_PROGRESS" {
		return members{}, nil // as the service does
	}
	w.advance(s)
	switch {
	case s.protected:
		return nil, ineligible("Stack [%s] cannot be deleted while TerminationProtection is enabled", s.name)
	case strings.HasSuffix(s.status, "_IN_PROGRESS") && s.status != "REVIEW_IN_PROGRESS" && s.status != "CREATE_IN_PROGRESS":
		return nil, ineligible("Stack [%s] cannot be deleted while in status %s", s.id, s.status)
	case retain != nil && s.status != "DELETE_FAILED":
		return nil, ineligible("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", s.id)
	case mode == "FORCE_DELETE_STACK" && s.status != "DELETE_FAILED":
		return nil, ineligible("Stack [%s] must be in DELETE_FAILED status to use FORCE_DELETE_STACK", s.id)
	}
	s.token = token
	w.settle(s, "DELETE_IN_PROGRESS", "User Initiated")
	begin(s, func(step func()) {
		d := &deployment{w: w, s: s, step: step, keep: true}
		step()
		var failed []string
		for _, r := range reverse(s.all()) {
			policy := r.spec.DeletionPolicy
			if slices.Contains(retain, r.logical) {
				policy = "Retain"
			}
			if err := d.remove(r, policy); err != nil && mode != "FORCE_DELETE_STACK" {
				failed = append(failed, r.logical)
				continue
			}
			delete(s.resources, r.logical)
		}
		if failed != nil {
			w.settle(s, "DELETE_FAILED", "The following resource(s) failed to delete: "+list(failed...)+". ")
			return
		}
		w.settle(s, "DELETE_COMPLETE", "")
		s.deleted = w.now()
	})
	return members{}, nil
}

func (w *World) cancelUpdate(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	_ = q.get("ClientRequestToken")
	return nil, ineligible("CancelUpdateStack cannot be called from current stack status %s: awsfake does not know it", s.status)
}

func (w *World) continueRollback(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	skip, token := q.list("ResourcesToSkip"), q.get("ClientRequestToken")
	if s.status != "UPDATE_ROLLBACK_FAILED" || s.rollback == nil {
		return nil, ineligible("Stack:%s is in %s state and can not continue update rollback.", s.id, s.status)
	}
	d := s.rollback
	s.token = token
	w.settle(s, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	begin(s, func(step func()) {
		d.step = step
		step()
		d.goBack(skip)
	})
	return members{}, nil
}

func (w *World) protect(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	s.protected = q.get("EnableTerminationProtection") == "true"
	return members{{"StackId", s.id}}, nil
}

func (w *World) setPolicy(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	s.policy = q.get("StackPolicyBody")
	return members{}, nil
}

func (w *World) getPolicy(q *query) (members, error) {
	s, err := w.find(q.get("StackName"))
	if err != nil {
		return nil, err
	}
	return members{{"StackPolicyBody", s.policy}}, nil
}

// versionOf reads what a request wants a stack to be.
func (w *World) versionOf(q *query, s *stack) (*stackVersion, error) {
	v := &stackVersion{tags: map[string]string{}, capabilities: q.list("Capabilities")}
	switch {
	case q.get("UsePreviousTemplate") == "true" && s != nil:
		v.body = s.body
	case q.has("TemplateURL"):
		body, err := w.fetchTemplate(q.get("TemplateURL"))
		if err != nil {
			return nil, err
		}
		v.body = body
	default:
		v.body = q.get("TemplateBody")
		if len(v.body) > maxBody {
			return nil, ineligible("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
		}
	}
	var err error
	if v.template, err = parseTemplate(v.body); err != nil {
		return nil, err
	}
	var previous map[string]string
	if s != nil {
		previous = s.parameters
	}
	if v.parameters, err = v.template.values(q.records("Parameters", "ParameterKey", "ParameterValue", "UsePreviousValue"), previous); err != nil {
		return nil, err
	}
	for _, t := range q.records("Tags", "Key", "Value") {
		v.tags[t["Key"]] = t["Value"]
	}
	return v, v.capable()
}

// capable refuses roles that nobody has acknowledged.
func (v *stackVersion) capable() error {
	need := ""
	for _, id := range slices.Sorted(maps.Keys(v.template.Resources)) {
		if r := v.template.Resources[id]; strings.HasPrefix(r.Type, "AWS::IAM::") {
			if _, named := r.Properties["RoleName"]; named {
				need = "CAPABILITY_NAMED_IAM"
			} else if need == "" {
				need = "CAPABILITY_IAM"
			}
		}
	}
	if need == "" || slices.Contains(v.capabilities, "CAPABILITY_NAMED_IAM") || slices.Contains(v.capabilities, need) {
		return nil
	}
	return &awsError{400, "InsufficientCapabilitiesException", "Requires capabilities : [" + need + "]"}
}

// fetchTemplate reads a template from the account's own buckets.
func (w *World) fetchTemplate(address string) (string, error) {
	rest := address
	for _, scheme := range []string{"https://", "http://"} {
		rest = strings.TrimPrefix(rest, scheme)
	}
	host, path, _ := strings.Cut(rest, "/")
	bucket, key, _ := strings.Cut(path, "/")
	if before, _, ok := strings.Cut(host, ".s3"); ok {
		bucket, key = before, path
	}
	key, err := url.PathUnescape(key)
	if err != nil {
		return "", ineligible("TemplateURL must be a supported URL.")
	}
	b := w.buckets[bucket]
	if b == nil || b.objects[key] == nil {
		return "", ineligible("S3 error: The specified key does not exist.")
	}
	if len(b.objects[key].Body) > maxTemplate {
		return "", ineligible("Template may not exceed 1000000 bytes in size.")
	}
	return string(b.objects[key].Body), nil
}
