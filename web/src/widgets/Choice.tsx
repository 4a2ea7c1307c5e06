interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly T[];
  set: (value: T) => void;
}

/** A few options side by side, one of them chosen. */
export function Choice<T extends string>({ label, value, options, set }: Props<T>) {
  return (
    <span className="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button type="button" key={option} aria-pressed={option === value} onClick={() => set(option)}>
          {option}
        </button>
      ))}
    </span>
  );
}
