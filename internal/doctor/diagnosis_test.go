package doctor

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestACheckupSaysWhatItCouldNotMend: who asked for it must not take it for done.
func TestACheckupSaysWhatItCouldNotMend(t *testing.T) {
	c := &Checkup{Means: Means{Explain: func(err error) (string, string) { return err.Error(), "" }}}
	d := c.unmended(warn("stale").mendable(nil, "gone"), errors.New("no luck"))
	require.Equal(t, Error, d.Result)
	require.Equal(t, "stale; it could not be mended: no luck", d.Message)
}

func TestARemedyTellsItsCommands(t *testing.T) {
	d := warn("x").remedy("%s goes on, %s undoes it", to("sp tenant provision", "a b"), to("sp tenant delete", "a b", "-y"))
	require.Equal(t, "sp tenant provision 'a b' goes on, sp tenant delete 'a b' -y undoes it", d.Remedy)
	require.Equal(t, []string{"sp tenant provision 'a b'"}, d.Next)
}

func TestTroubleDoesNotSendToTheDoctor(t *testing.T) {
	c := &Checkup{Means: Means{Explain: func(err error) (string, string) {
		return err.Error(), "sp doctor tells all\ncopy it first\nthen restore"
	}}}
	require.Equal(t, "copy it first", c.trouble(errors.New("damaged")).Remedy)
}

func TestHowLongIsSaidInHoursThenInDays(t *testing.T) {
	require.Equal(t, "1 hour", howLong(90*time.Minute))
	require.Equal(t, "47 hours", howLong(47*time.Hour))
	require.Equal(t, "2 days", howLong(50*time.Hour))
}
