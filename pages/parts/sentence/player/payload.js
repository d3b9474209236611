// The payload: four bytes of header length, a JSON header, then the numbers. An array in the header is
// {at, shape, type, scale}: `at` bytes after the header, `type` int16 (value = stored / 32767 × scale) or float32.
function unpack(bytes) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 4 + length;
  const withArrays = (value) => {
    if (Array.isArray(value)) return value.map(withArrays);
    if (value === null || typeof value !== "object") return value;
    if ("at" in value && "shape" in value) return block(buffer, start, value);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withArrays(inner)]));
  };
  return withArrays(header);
}

function block(buffer, start, { at, shape, type, scale }) {
  const count = shape.reduce((product, size) => product * size, 1);
  const Stored = type === "int16" ? Int16Array : Float32Array;
  const stored = new Stored(buffer.slice(start + at, start + at + count * Stored.BYTES_PER_ELEMENT));
  const values = type === "int16" ? Float32Array.from(stored, (value) => (value / 32767) * scale) : stored;
  return { values, rows: shape[0], columns: shape[1] ?? 1 };
}
