import type { Language } from "./plan";
import { go } from "./go";
import { java } from "./java";
import { node } from "./node";
import { php } from "./php";
import { python } from "./python";
import { ruby } from "./ruby";

export { planOf } from "./plan";
export const languages: Language[] = [node, python, go, ruby, php, java];
