import contextlib
import io
import unittest

from torvyn import testing

from {{name_snake}} import {{name_pascal}}


class Test{{name_pascal}}(unittest.TestCase):
    def test_tells_the_sums(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            testing.run({{name_pascal}}, ["one", "three"])
        self.assertEqual(said.getvalue(), "2 elements, 8 bytes\n")


if __name__ == "__main__":
    unittest.main()
