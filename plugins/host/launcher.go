package host

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hookline/hookline/plugins/proto"
)

// launcher is what starting a plugin's process takes, any number of times.
type launcher struct {
	cfg   Config
	log   *slog.Logger
	image *image
	dir   *runDir
	codec *proto.Codec
	tap   io.Writer // see run
}

// newLauncher makes one of a validated Config.
func newLauncher(cfg Config) (launcher, error) {
	im, err := newImage(&cfg)
	if err != nil {
		return launcher{}, err
	}
	dir, err := newRunDir(os.TempDir())
	if err != nil {
		im.close()
		return launcher{}, fmt.Errorf("host: folder for the socket of plugin %s: %w", cfg.Name, err)
	}
	return launcher{cfg: cfg, log: cfg.Logger, image: im, dir: dir, codec: proto.NewCodec()}, nil
}

func (l *launcher) close() {
	l.image.close()
	l.dir.close()
}

// output takes one of the plugin's streams line by line.
func (l *launcher) output(stream string) io.Writer { return newLines(l.log, stream, l.cfg.logLines) }
