import unittest

import torvyn
from torvyn import testing

from {{name_snake}} import {{name_snake}}


class Test{{name_pascal}}(unittest.TestCase):
    def test_makes_letters_upper_case(self):
        self.assertEqual(testing.run({{name_snake}}, ["one\n", "Größe 2\n"]), [b"ONE\n", "GRÖSSE 2\n".encode()])

    def test_refuses_what_is_no_text(self):
        with self.assertRaisesRegex(torvyn.InvalidInput, "not UTF-8 at byte 1"):
            {{name_snake}}(torvyn.Element(b"a\xff"))


if __name__ == "__main__":
    unittest.main()
