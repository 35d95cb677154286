package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Rabbit is a node; its user is guest.
type Rabbit struct {
	Address string // host:port
	env     []string
}

// Messages is how many a queue holds, given and not acknowledged ones included. It asks the node by rabbitmqctl, which takes a
// second or two: AMQP itself does not tell.
func (r Rabbit) Messages(tb testing.TB, queue string) int {
	tb.Helper()
	c := exec.Command("/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "--no-table-headers", "list_queues", "name", "messages")
	c.Env = r.env
	out, err := c.Output()
	if err != nil {
		tb.Errorf("rabbitmqctl: %v: %s", err, out)
		return -1
	}
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.Fields(line); len(f) == 2 && f[0] == queue {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				tb.Error(err)
			}
			return n
		}
	}
	tb.Errorf("rabbitmqctl knows no queue %s: %s", queue, out)
	return -1
}

// RabbitMQ starts a node of its own, with its files in a temporary folder.
func RabbitMQ(tb testing.TB) Rabbit {
	tb.Helper()
	needs(tb, "rabbitmq-server", "rabbitmq-server")
	server := "/usr/lib/rabbitmq/bin/rabbitmq-server" // Debian's own starter insists on a user and a service
	if _, err := os.Stat(server); err != nil {
		server = needs(tb, "rabbitmq-server", "rabbitmq-server")
	}
	dir := tb.TempDir()
	port, dist, epmd := freePort(tb), freePort(tb), freePort(tb)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	config := write("rabbitmq.conf", "listeners.tcp.1 = 127.0.0.1:"+port+"\ndisk_free_limit.absolute = 10MB\nlog.console = true\nlog.console.level = error\n")
	plugins := write("enabled_plugins", "[].")
	c := exec.Command(server)
	c.Env = append(os.Environ(),
		"HOME="+dir, "RABBITMQ_NODENAME=hookline"+port+"@localhost", "RABBITMQ_NODE_PORT="+port, "RABBITMQ_DIST_PORT="+dist,
		"ERL_EPMD_PORT="+epmd, "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_BASE="+dir, "RABBITMQ_MNESIA_BASE="+dir+"/mnesia", "RABBITMQ_LOG_BASE="+dir+"/log",
		"RABBITMQ_LOGS=-", "RABBITMQ_CONFIG_FILE="+config, "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins, "RABBITMQ_PID_FILE="+dir+"/pid",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}")
	tb.Cleanup(func() { // the port mapper that Erlang started stays behind its node; this runs after the node has ended
		kill := exec.Command("epmd", "-kill")
		kill.Env = append(os.Environ(), "ERL_EPMD_PORT="+epmd)
		_ = kill.Run()
	})
	address := "127.0.0.1:" + port
	process(tb, 60*time.Second, c, func() error {
		conn, err := amqp.DialConfig("amqp://guest:guest@"+address+"/", amqp.Config{Dial: amqp.DefaultDial(time.Second)})
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return Rabbit{address, c.Env}
}
