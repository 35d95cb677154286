package proto

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

var release = flag.Bool("release", false, "make the present wire the released one, which later versions must be compatible with")

var releasedFile = filepath.Join("testdata", "v1.binpb")

// What was released stays: whatever the last release's descriptor has, the present one has under the same name and
// number and with the same type. Adding is free.
func TestCompatibleWithTheLastRelease(t *testing.T) {
	if *release {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(protodesc.ToFileDescriptorProto(File_transport_proto))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(releasedFile, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, breach := range breaches(released(t), File_transport_proto) {
		t.Errorf("%s: plugins in the field rely on it. Put it back, or begin version 2 (README.md, Versions)", breach)
	}
}

func released(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	b, err := os.ReadFile(releasedFile)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, b)
}

func parsed(t *testing.T, b []byte) protoreflect.FileDescriptor {
	t.Helper()
	var d descriptorpb.FileDescriptorProto
	if err := proto.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	f, err := protodesc.NewFile(&d, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The check itself finds each kind of breach.
func TestBreachesAreFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*descriptorpb.FileDescriptorProto)
	}{
		{"a field taken away", func(d *descriptorpb.FileDescriptorProto) {
			m := message(d, "Attempt")
			m.Field = m.Field[:len(m.Field)-1]
		}},
		{"a field renamed", func(d *descriptorpb.FileDescriptorProto) {
			message(d, "Attempt").Field[1].Name = proto.String("address")
		}},
		{"a field renumbered", func(d *descriptorpb.FileDescriptorProto) { message(d, "Attempt").Field[1].Number = proto.Int32(99) }},
		{"a field retyped", func(d *descriptorpb.FileDescriptorProto) {
			message(d, "Header").Field[1].Type = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
		}},
		{"a list made single", func(d *descriptorpb.FileDescriptorProto) {
			message(d, "Batch").Field[0].Label = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
		}},
		{"an outcome renumbered", func(d *descriptorpb.FileDescriptorProto) { d.EnumType[0].Value[2].Number = proto.Int32(9) }},
		{"a call taken away", func(d *descriptorpb.FileDescriptorProto) {
			s := d.Service[0]
			s.Method = s.Method[:len(s.Method)-1]
		}},
		{"a stream made single", func(d *descriptorpb.FileDescriptorProto) { d.Service[0].Method[2].ClientStreaming = proto.Bool(false) }},
		{"another package", func(d *descriptorpb.FileDescriptorProto) {
			d.Package = proto.String("hookline.transport.v9")
			for _, m := range d.MessageType {
				for _, f := range m.Field {
					f.TypeName = moved(f.TypeName)
				}
			}
			for _, m := range d.Service[0].Method {
				m.InputType, m.OutputType = moved(m.InputType), moved(m.OutputType)
			}
		}},
	} {
		d := protodesc.ToFileDescriptorProto(File_transport_proto)
		c.change(d)
		b, err := proto.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(breaches(File_transport_proto, parsed(t, b))) == 0 {
			t.Errorf("%s is not noticed", c.name)
		}
	}
	if got := breaches(File_transport_proto, File_transport_proto); len(got) > 0 {
		t.Errorf("against itself: %v", got)
	}
}

func moved(name *string) *string {
	if name == nil || *name == "" {
		return name
	}
	return proto.String(".hookline.transport.v9" + (*name)[len(".hookline.transport.v1"):])
}

func message(d *descriptorpb.FileDescriptorProto, name string) *descriptorpb.DescriptorProto {
	for _, m := range d.MessageType {
		if m.GetName() == name {
			return m
		}
	}
	panic(name)
}

func breaches(was, is protoreflect.FileDescriptor) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if was.Package() != is.Package() {
		add("package %s is %s now", was.Package(), is.Package())
	}
	for i := range was.Messages().Len() {
		m := was.Messages().Get(i)
		now := is.Messages().ByName(m.Name())
		if now == nil {
			add("message %s is gone", m.Name())
			continue
		}
		for j := range m.Fields().Len() {
			f := m.Fields().Get(j)
			g := now.Fields().ByNumber(f.Number())
			if g == nil {
				add("field %d of %s (%s) is gone", f.Number(), m.Name(), f.Name())
			} else if f.Name() != g.Name() || f.Kind() != g.Kind() || f.Cardinality() != g.Cardinality() || typeName(f) != typeName(g) {
				add("field %d of %s was %v, is %v", f.Number(), m.Name(), f, g)
			}
		}
	}
	for i := range was.Enums().Len() {
		e := was.Enums().Get(i)
		now := is.Enums().ByName(e.Name())
		for j := range e.Values().Len() {
			v := e.Values().Get(j)
			if now == nil || now.Values().ByName(v.Name()) == nil || now.Values().ByName(v.Name()).Number() != v.Number() {
				add("%s = %d of %s is gone", v.Name(), v.Number(), e.Name())
			}
		}
	}
	for i := range was.Services().Len() {
		s := was.Services().Get(i)
		now := is.Services().ByName(s.Name())
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			var n protoreflect.MethodDescriptor
			if now != nil {
				n = now.Methods().ByName(m.Name())
			}
			if n == nil || m.Input().Name() != n.Input().Name() || m.Output().Name() != n.Output().Name() ||
				m.IsStreamingClient() != n.IsStreamingClient() || m.IsStreamingServer() != n.IsStreamingServer() {
				add("call %s of %s is gone or changed", m.Name(), s.Name())
			}
		}
	}
	return out
}

func typeName(f protoreflect.FieldDescriptor) protoreflect.Name {
	switch {
	case f.Message() != nil:
		return f.Message().Name()
	case f.Enum() != nil:
		return f.Enum().Name()
	}
	return ""
}
