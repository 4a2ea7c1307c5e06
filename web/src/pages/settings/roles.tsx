import type { CreateUser } from "~/api/types.gen";

export type Role = NonNullable<CreateUser["role"]>;

/** Weakest first: a key may do what its owner may, or less. */
export const ROLES: readonly Role[] = ["read-only", "worker", "user", "admin"];

export const MAY: Record<Role, string> = {
  "read-only": "looks at everything",
  worker: "makes runs, takes queued ones and reports to them",
  user: "everything but looking after people",
  admin: "everything",
};

interface Props {
  label: string;
  value: Role;
  set: (role: Role) => void;
  most?: string;
  disabled?: boolean;
}

export function RoleChoice({ label, value, set, most = "admin", disabled }: Props) {
  const end = ROLES.indexOf(most as Role);
  return (
    <select
      className="select"
      aria-label={label}
      title={MAY[value]}
      value={value}
      disabled={disabled}
      onChange={(event) => set(event.target.value as Role)}
    >
      {ROLES.filter((_, i) => end < 0 || i <= end)
        .reverse()
        .map((role) => (
          <option key={role} value={role}>
            {role}
          </option>
        ))}
    </select>
  );
}
