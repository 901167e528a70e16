package aside_test

import (
	"context"
	"errors"
	"testing"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
)

var errMine = errors.New("mine")

func seven() (int, error) { return 7, errMine }

func TestStart(t *testing.T) {
	t.Parallel()
	if n, err := aside.Start(seven)(); n != 7 || err != errMine {
		t.Errorf("%d, %v", n, err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	if n, err := aside.Wait(t.Context(), seven); n != 7 || err != errMine {
		t.Errorf("%d, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := aside.Wait(ctx, func() (int, error) { select {} }); !errors.Is(err, context.Canceled) {
		t.Errorf("of what never ends: %v", err)
	}
}
