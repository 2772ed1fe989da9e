package local

import (
	"os"
	"os/exec"
	"testing"
)

func TestAlive(t *testing.T) {
	t.Parallel()
	if !Alive(os.Getpid(), processStart()) || !Alive(os.Getpid(), "") {
		t.Error("this process is not alive")
	}
	if processStart() != "" && Alive(os.Getpid(), "1") {
		t.Error("an earlier process of the same PID is alive")
	}
	if Alive(0, "") {
		t.Error("no process is alive")
	}
	c := exec.Command("true")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if start := "1"; Alive(c.Process.Pid, start) {
		t.Errorf("process %d, which has ended, is alive", c.Process.Pid)
	}
}
