// Line icons, 16 units wide. They never stand alone for a meaning: a word is beside them, or a label on their button.

const paths = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  alert: "M8 2.5l6 10.5H2zM8 6.8v2.7M8 11.3v.2",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 5v3.2l2.2 1.4",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  skip: "M3.5 4l5 4-5 4zM11.5 4v8",
  slash: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM4 12l8-8",
  unplug: "M3 13l2.4-2.4M10.6 5.4L13 3M6.2 7.2L4.6 8.8a1.9 1.9 0 0 0 2.6 2.6l1.6-1.6M9.8 8.8l1.6-1.6a1.9 1.9 0 0 0-2.6-2.6L7.2 6.2",
  plus: "M8 3.2v9.6M3.2 8h9.6",
  copy: "M5.8 5.8h6.7v6.7H5.8zM10.2 5.8V3.5H3.5v6.7h2.3",
  eye: "M1.8 8S4 3.9 8 3.9 14.2 8 14.2 8 12 12.1 8 12.1 1.8 8 1.8 8zM8 6.3a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z",
  rotate: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7",
  send: "M13.5 2.5L2.5 7l4.2 2.2L9 13.5zM13.5 2.5L6.7 9.2",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.2 3.2",
  right: "M6 3.5L10.5 8 6 12.5",
  left: "M10 3.5L5.5 8l4.5 4.5",
  down: "M3.5 6L8 10.5 12.5 6",
  out: "M6.5 3.5h-3v9h9v-3M9 2.8h4.2V7M13 3L7.5 8.5",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M12.5 3.5l-.8.8M4.3 11.7l-.8.8",
  moon: "M13 9.4A5.5 5.5 0 0 1 6.6 3a5.5 5.5 0 1 0 6.4 6.4z",
  screen: "M2.5 3.5h11v7.2h-11zM6 13.2h4M8 10.7v2.5",
  pencil: "M3 13l.6-2.6 7-7 2 2-7 7zM9.4 4.6l2 2",
  trash: "M3 4.5h10M6.3 4.5V3h3.4v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5",
  bolt: "M9 2L3.5 9H8l-1 5 5.5-7H8z",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.2M2.5 8h.2M2.5 12h.2",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  gauge: "M2.5 11.5a5.8 5.8 0 1 1 11 0M8 10l2.6-3.6",
  wave: "M1.8 8h2.7l1.8-4.6 3.2 9.2L11.3 8h2.9",
  users: "M6 3.2a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6zM1.8 13c0-2.5 1.8-4 4.2-4s4.2 1.5 4.2 4M10.6 3.4a2.2 2.2 0 0 1 0 4.2M11.6 9.3c1.6.5 2.6 1.8 2.6 3.7",
  key: "M10.4 2.6a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8.2 7.8L3 13M4.8 11.2l1.6 1.6",
  book: "M3 3.2h4.2L8 4l.8-.8H13v9.2H8.8l-.8.8-.8-.8H3zM8 4v9",
  flask: "M6.3 2.5h3.4M7 2.5v3.7l-3.6 6a.9.9 0 0 0 .8 1.3h7.6a.9.9 0 0 0 .8-1.3L9 6.2V2.5",
  shield: "M8 2l5 1.8v3.8c0 3-2 5.3-5 6.4-3-1.1-5-3.4-5-6.4V3.8zM5.8 8l1.6 1.6 2.9-3.2",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

// Logo is the mark of the product: a line with a hook.
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M11 7v9.5a5.5 5.5 0 0 0 11 0V15m-3.2 3 3.2-3.2 3.2 3.2" />
    </svg>
  );
}
